"""The rules of central, pure: intake, dedupe, incidents, liveness. No clock, socket, database or random number."""
