"""The two systems on the card: which was booted, which is booted by itself, and how the other is tried once."""
