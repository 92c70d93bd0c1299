"""Plays without a person: each presses real buttons, does something terrible, and proves what came of it."""
