"""From a finger to a frame on the disk."""
