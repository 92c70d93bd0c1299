"""The machine port: nodes ask here what their galleries hold. A program of its own, without Django and its database."""
