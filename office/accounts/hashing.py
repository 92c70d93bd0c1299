"""Passwords are hashed by Argon2id, in a bounded amount of memory however many strangers try at once."""

from __future__ import annotations

import threading
from typing import Final

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE: Final = 2
"""More would not be faster on a small machine, and each takes its memory."""
_ROOM = threading.BoundedSemaphore(AT_ONCE)


class OfficeHasher(Argon2PasswordHasher):
    """Argon2id with 32 MiB, three passes and one lane: above OWASP's least (19 MiB, two passes), far below Django's.

    Django's own wants 100 MiB for each hash; eight workers would take the machine's memory.
    """

    memory_cost = 32 * 1024
    time_cost = 3
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """As the base class, when there is room."""
        with _ROOM:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """As the base class, when there is room."""
        with _ROOM:
            return super().verify(password, encoded)
