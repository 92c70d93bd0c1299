"""Accounts: who there is, which roles they have, and how they sign in."""
