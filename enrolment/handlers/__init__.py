"""One file for each thing that a node may ask."""
