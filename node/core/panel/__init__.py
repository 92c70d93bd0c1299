"""What the screen and the lamp say."""
