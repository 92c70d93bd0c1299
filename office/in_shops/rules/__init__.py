"""What it means, and what to do about it. Pure."""
