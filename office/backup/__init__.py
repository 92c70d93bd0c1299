"""The office's state as one encrypted file, its keys as another, and both back."""
