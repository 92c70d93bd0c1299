"""The card's own program: its data partition, the seed on it, its two systems and their updates.

It never touches the alert store, and nothing that an alert needs waits for it: the button works without
this program.
"""
