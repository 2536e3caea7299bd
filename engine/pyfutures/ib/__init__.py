"""Interactive Brokers: the wire protocol without a socket, its codes, its pace, its times."""
