"""From a finger to a frame on disk."""
