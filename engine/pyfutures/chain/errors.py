"""What a chain cannot answer."""

from __future__ import annotations


class ChainError(ValueError):
    """A question that the chain of a root cannot answer; the text names root, month and reason."""
