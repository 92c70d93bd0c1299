"""The rules of updates, pure: what is fetched, when the unit restarts, what is kept. No clock, file or socket."""
