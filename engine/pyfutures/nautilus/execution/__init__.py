"""Execution: the client of orders, what the broker says of them, reports, limits and accounts."""
