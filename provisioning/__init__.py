"""Making, enrolling and revoking nodes: the private CA, the directory, the broker's files."""
