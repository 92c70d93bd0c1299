"""The first page: what waits for the person who has signed in. It keeps nothing of its own."""
