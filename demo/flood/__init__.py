"""One member does its worst, the others press: each in a network namespace with an address of its own."""
