"""Renderers of diagnostics, siblings: none knows another, and none prints."""
