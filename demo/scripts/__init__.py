"""Scripts that play by themselves: each presses real buttons, breaks something, and checks the outcome."""
