"""Other premises' alerts."""
