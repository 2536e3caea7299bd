"""Market data: the data client, its feeds and requests, hours, and the watch over silence."""
