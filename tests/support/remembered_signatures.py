"""Signatures are made and checked once: tests say the same again and again, and several hear each message."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pytest

from wire.signing import PublicKey, SigningKey


@pytest.fixture(scope="package", autouse=True)
def signatures_once() -> Iterator[None]:
    """Up to a fifth of the time otherwise. Ed25519 is deterministic; what is not valid is refused by the real check.

    For the tests below a ``conftest.py`` that names it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SigningKey, "sign", lru_cache(100_000)(SigningKey.sign))
        patch.setattr(PublicKey, "verify", lru_cache(100_000)(PublicKey.verify))
        yield
