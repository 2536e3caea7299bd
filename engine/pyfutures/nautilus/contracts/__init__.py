"""The contracts of a node: found by the chains, held against the specs, kept in one list."""
