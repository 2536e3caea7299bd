"""The adapter, the roll actor and the rolling strategy: thin shells over the core.

What a node file or a program names is a module here; what those stand on are rooms: `contracts`,
`market` (data), `execution`, `series` (of the actor) and `moves` (of the strategy).
"""
