"""Our own incidents: how they go on, when nobody may notice, and what the sounder tells of them."""
