"""Central's rules, pure: intake, deduplication, incidents, liveness. No clock, socket, database or random number."""
