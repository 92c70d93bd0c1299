"""Vectors of what a delegate of the authority signs: what opens, what is refused, and what may follow what."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tools.publish.examples import CHANGES, DELEGATING_DIRECTORY, KEYS, PRESSED_AT
from wire.delegation import changes_signed
from wire.directory import (
    DelegateChanges,
    Delegation,
    DirectoryDocument,
    SealedChanges,
    SealedDirectory,
    open_directory,
    seal_directory,
)
from wire.directory_succession import refusal
from wire.errors import DirectoryError
from wire.signing import DELEGATE_DOMAIN, SigningKey

Json = dict[str, Any]

AUTHORITY: Final = KEYS["authority"]
NEXT: Final = replace(
    DELEGATING_DIRECTORY,
    serial=3_000_000,
    delegation=Delegation(epoch=2, key=KEYS["delegate"].public.raw, expires_at=PRESSED_AT.replace(month=9)),
)
"""The same town; the delegation was renewed."""
_BAKERY = CHANGES.added[0]


def changed(
    changes: DelegateChanges, document: DirectoryDocument = DELEGATING_DIRECTORY, key: SigningKey = KEYS["delegate"]
) -> bytes:
    """The directory with what the delegate's key, or another, can be made to sign."""
    sealed = msgspec.json.decode(seal_directory(document, AUTHORITY), type=SealedDirectory)
    inner = msgspec.json.encode(changes)
    signature = key.sign(DELEGATE_DOMAIN, changes_signed(sealed.signature, inner))
    return msgspec.json.encode(replace(sealed, changes=SealedChanges(document=inner, signature=signature)))


def vectors() -> Json:
    """The file's content."""
    base = seal_directory(DELEGATING_DIRECTORY, AUTHORITY)
    refused: dict[str, bytes] = {
        "central struck": changed(replace(CHANGES, struck=("00000001",))),
        "a gateway struck": changed(replace(CHANGES, struck=("00000013",))),
        "a gateway added": changed(replace(CHANGES, added=(replace(_BAKERY, kind="gateway"),))),
        "a number below the premises'": changed(replace(CHANGES, added=(replace(_BAKERY, node="0000000f"),))),
        "another key for a node": changed(replace(CHANGES, added=(replace(_BAKERY, node="00000010"),))),
        "the authority's next serial": changed(replace(CHANGES, serial=2_000_000)),
        "a scheme that is not listed": changed(replace(CHANGES, added=(replace(_BAKERY, schemes=(9,)),))),
        "signed by a stranger": changed(CHANGES, key=KEYS["stranger"]),
        "signed by the authority": changed(CHANGES, key=AUTHORITY),
        "no delegate": changed(CHANGES, replace(DELEGATING_DIRECTORY, delegation=None)),
    }
    expires_at_s = int(PRESSED_AT.replace(month=6, day=5).timestamp())
    later = changed(replace(CHANGES, serial=1_000_002, struck=("00000010", "00000011")))
    followed: dict[str, tuple[bytes, bytes, tuple[int, ...]]] = {
        "the delegate's after the authority's": (base, changed(CHANGES), ()),
        "more is struck": (changed(CHANGES), later, ()),
        "a strike is taken back": (changed(CHANGES), changed(replace(CHANGES, serial=1_000_002, struck=())), ()),
        "another sealing key": (
            changed(CHANGES),
            changed(replace(CHANGES, serial=1_000_002, added=(replace(_BAKERY, sealing_key=b"s" * 32),))),
            (),
        ),
        "a sealing key where there was none": (
            changed(replace(CHANGES, added=(replace(_BAKERY, sealing_key=b""),))),
            changed(replace(CHANGES, serial=1_000_002)),
            (),
        ),
        "an addition is taken back": (changed(CHANGES), changed(replace(CHANGES, serial=1_000_002, added=())), ()),
        "an earlier epoch": (
            seal_directory(replace(NEXT, serial=2_000_000), AUTHORITY),
            seal_directory(replace(DELEGATING_DIRECTORY, serial=3_000_000), AUTHORITY),
            (),
        ),
        "the authority's next, without what the delegate did": (changed(CHANGES), seal_directory(NEXT, AUTHORITY), ()),
        "in time by one of two clocks": (base, changed(CHANGES), (expires_at_s - 1, expires_at_s + 99_999)),
        "over by both clocks": (base, changed(CHANGES), (expires_at_s, expires_at_s + 99_999)),
    }
    return {
        "authority": AUTHORITY.public.raw.hex(),
        "sealed": changed(CHANGES).decode(),
        "document": msgspec.to_builtins(DELEGATING_DIRECTORY),
        "changes": msgspec.to_builtins(CHANGES),
        "refused": [{"name": name, "sealed": data.decode(), "reason": _reason(data)} for name, data in refused.items()],
        "successions": [
            {
                "name": name,
                "held": held.decode(),
                "newer": newer.decode(),
                "times_s": list(times_s),
                "reason": refusal(
                    open_directory(newer, AUTHORITY.public), open_directory(held, AUTHORITY.public), times_s
                ),
            }
            for name, (held, newer, times_s) in followed.items()
        ],
    }


def _reason(data: bytes) -> str | None:
    try:
        open_directory(data, AUTHORITY.public)
    except DirectoryError as e:
        return e.reason
    return None
