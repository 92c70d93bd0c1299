"""The gallery on a node: a program of its own, beside the one that alerts, which waits for nothing in here."""
