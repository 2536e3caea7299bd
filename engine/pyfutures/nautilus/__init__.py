"""The roll actor and what it needs of nautilus_trader: thin shells over the core."""
