"""Our own incidents: how they go on, when nobody may notice, and what is heard of them."""
