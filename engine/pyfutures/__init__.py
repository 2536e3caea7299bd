"""Futures contracts as data: rules become dates, dates become chains, chains become rolls."""

__version__ = "0.1.0"
