"""What the rolling strategy stands on: its ledger, the contracts of a root, orders of a move."""
