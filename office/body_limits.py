"""How much a request may bring. For Django's settings too, which every command reads: nothing is imported here."""

from __future__ import annotations

from typing import Final

FORM_BYTES_MAX: Final = 256 * 1024
UPLOAD_BYTES_MAX: Final = 11 * 1024 * 1024
"""A file of 10 MB with what a form puts around it."""
