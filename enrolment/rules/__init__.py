"""What follows from what: claims, the delegate's changes, guessing. Pure."""
