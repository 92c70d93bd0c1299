"""Central's state as one encrypted file, and back."""
