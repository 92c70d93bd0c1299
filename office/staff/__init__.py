"""Who may sign in at a shop's page: named staff of each premises, kept by the member's contact."""
