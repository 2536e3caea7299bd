"""A market in a box: contract prices that look like a market's and never change by themselves."""
