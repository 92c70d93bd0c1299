"""Hashing passwords: strong, and bounded."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest

from office.accounts import hashing
from office.accounts.hashing import AT_ONCE, OfficeHasher


def test_a_hash_is_argon2id_of_the_agreed_cost() -> None:
    encoded = OfficeHasher().encode("correct horse", OfficeHasher().salt())

    assert encoded.startswith("argon2$argon2id$v=19$m=32768,t=3,p=1$")
    assert OfficeHasher().verify("correct horse", encoded)
    assert not OfficeHasher().verify("wrong", encoded)
    assert not OfficeHasher().must_update(encoded)


def test_only_so_many_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, guard = 0, 0, threading.Lock()
    full = threading.Barrier(AT_ONCE)

    def counted(*_: object, **__: object) -> bytes:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        full.wait(timeout=120)
        with guard:
            running -= 1
        return b"$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA"

    monkeypatch.setattr(argon2.low_level, "hash_secret", counted)
    with ThreadPoolExecutor(4 * AT_ONCE) as pool:
        list(
            pool.map(lambda number: hashing.OfficeHasher().encode(str(number), "somesaltsomesalt"), range(4 * AT_ONCE))
        )

    assert most == AT_ONCE
