"""What shops hold of the galleries, and whom they have shown: pages by what nodes have reported."""
