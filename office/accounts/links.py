"""One-time links: a secret in the address, of which only the digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.urls import reverse

INVITATION_LIFE: Final = timedelta(days=7)
FIRST_LIFE: Final = timedelta(minutes=15)
"""Of the first co-ordinator's link, which is read from the machine's screen."""
RECOVERY_LIFE: Final = timedelta(hours=24)


def new_token() -> str:
    """192 random bits, fit for an address."""
    return secrets.token_urlsafe(24)


def digest_of(token: str) -> str:
    """What is kept of a token: 64 hexadecimal digits."""
    return hashlib.sha256(f"watchlink/1/link\n{token}".encode()).hexdigest()


def address(view_name: str, token: str) -> str:
    """The whole link, with the office's own host name: never with one that a request brought."""
    return f"{settings.OFFICE_URL}{reverse(view_name, args=[token])}"
