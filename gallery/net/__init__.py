"""The gallery's way to its office: HTTPS with the unit's own certificate, and nothing that decides anything."""
