"""Who may ask what. Pure."""
