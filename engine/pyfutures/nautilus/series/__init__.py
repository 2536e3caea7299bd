"""What the roll actor stands on: where it starts, how it catches up, where its series is kept."""
