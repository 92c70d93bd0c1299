"""What lies on the card: the first partition, and what is taken off it."""
