"""What the gallery keeps on the node's card. Nothing that names a person is in the clear in any of it."""
