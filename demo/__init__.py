"""A whole town on one machine: broker, central and four premises, with front panels and scripts."""
