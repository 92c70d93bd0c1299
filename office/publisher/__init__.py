"""Signs and publishes what the office knows of people and premises. A program of its own: it alone reads the key."""
