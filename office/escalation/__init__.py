"""Who is asked when nobody answers an alert: policies, and the ways by which people are reached (C3)."""
