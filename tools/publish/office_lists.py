"""The office's snapshots in the documents: their rules, examples, and golden bytes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import msgspec

from tools.publish.examples import HART, KEYS, PRESSED_AT, PUBWATCH
from wire.entry_lists import ENTRY_BYTES_MAX
from wire.errors import SnapshotError
from wire.limits import SNAPSHOT_BYTES_MAX
from wire.messages import Message
from wire.snapshots import (
    ENTRIES_MAX,
    NAMES,
    AuditHead,
    ContactEntry,
    PasskeyEntry,
    People,
    PersonEntry,
    Place,
    PolicyEntry,
    Premises,
    PremisesEntry,
    RoleEntry,
    Rota,
    ShiftEntry,
    Snapshot,
    StepEntry,
    Town,
    WayEntry,
    open_snapshot,
    seal_snapshot,
)

Json = dict[str, Any]

RULES: Final = f"""
Who the people are, what they may do, which premises the members have, who is to be on duty when, and who is asked when
nobody answers an alert. The office publishes them as files `NAME-NUMBER.json`, of at most
{SNAPSHOT_BYTES_MAX // 2**20} MiB and {ENTRIES_MAX:,} people, premises or shifts of at most
{ENTRY_BYTES_MAX // 2**10} KiB each, which a reader checks before it decodes them. A file is an object with `name`
(`people`, `premises` or `rota`), `town` (the authority's public key in hexadecimal), `snapshot` (below)
and `signature`: base64 of 64 bytes, Ed25519 by the office over the domain `watchlink/1/snapshot` and a zero byte, name,
line feed, town, line feed, and the very bytes of `snapshot`.

A reader verifies with the keys that the directory lists (`office_keys`), keeps the last good one, and refuses a lower
number; a snapshot replaces the one before as a whole. Central on another machine asks
`GET /snapshots/NAME?after=NUMBER` over mutual TLS: the newest file as soon as there is a newer one, or status 204. Only
central's certificate is let in. `premises` are joined with nodes by `office_premises` of the directory, never by name.
"""
KINDS: Final[tuple[type[Message], ...]] = (
    People, PersonEntry, RoleEntry, PasskeyEntry, WayEntry, Premises, PremisesEntry, ContactEntry, Place,
    Rota, ShiftEntry, PolicyEntry, StepEntry, AuditHead,
)  # fmt: skip

_HEAD: Final = AuditHead(sequence=7, digest="ab" * 32)
PEOPLE: Final = People(
    number=42,
    made_at=PRESSED_AT,
    audit=_HEAD,
    ticket_key=KEYS["next office"].public.raw,
    people=(
        PersonEntry(
            account=3,
            username="jo",
            name="Jo Patel",
            roles=(RoleEntry(role="pcso", schemes=(HART,)), RoleEntry(role="co-ordinator", schemes=(HART, PUBWATCH))),
            generation=4,
            ended_sessions=("0f" * 16,),
            passkeys=(PasskeyEntry(credential=b"credential", public_key=b"a COSE key"),),
            printed_codes=("cd" * 32,),
            second_factors=("ef" * 32,),
            ways=(WayEntry(way="sms", to="+441164960000"), WayEntry(way="email", to="jo@example.org")),
        ),
        PersonEntry(account=9, username="sam", name="Sam"),
    ),
)
PREMISES: Final = Premises(
    number=7,
    made_at=PRESSED_AT,
    audit=_HEAD,
    premises=(
        PremisesEntry(
            premises=5,
            name="Corner Shop",
            schemes=(HART,),
            place="High St",
            address="12 High St",
            position=Place(latitude=52.6369, longitude=-1.1398),
            opening_hours="Mon–Sat 8–20",
            when_going="Back door. Dog.",
            contacts=(ContactEntry(name="Sam", phone="0116 496 0000", is_key_holder=True),),
        ),
        PremisesEntry(premises=8, name="The Anchor", schemes=(HART, PUBWATCH)),
    ),
)
ROTA: Final = Rota(
    number=3,
    made_at=PRESSED_AT,
    audit=_HEAD,
    through=PRESSED_AT + timedelta(days=14),
    shifts=(
        ShiftEntry(
            role="pcso",
            scheme=HART,
            account=3,
            begins_at=PRESSED_AT - timedelta(hours=1),
            ends_at=PRESSED_AT + timedelta(hours=7),
        ),
    ),
    policies=(
        PolicyEntry(
            scheme=HART,
            kinds=("attack", "assist"),
            version=2,
            steps=(
                StepEntry(role="pcso", wait_s=30, ways=("push", "sms")),
                StepEntry(role="co-ordinator", wait_s=60, ways=("push", "sms", "email")),
            ),
        ),
    ),
)


def vectors() -> Json:
    """Snapshots as golden bytes, and some that every reader refuses."""
    office, town = KEYS["office"], Town(KEYS["authority"].public)
    people, premises, rota = (seal_snapshot(one, town, office) for one in (PEOPLE, PREMISES, ROTA))
    cases: list[tuple[str, type[Snapshot], bytes]] = [
        ("another name", People, premises),
        ("another town", People, seal_snapshot(PEOPLE, Town(KEYS["shop"].public), office)),
        ("another signer", People, seal_snapshot(PEOPLE, town, KEYS["next office"])),
        ("a name changed", People, people.replace(b"Jo Patel", b"Jo Pattl")),
        ("cut short", People, people[:-1]),
        ("a number that is a text", Premises, premises.replace(b'"number":7', b'"number":"7"')),
        ("a shift of a role that nobody has", Rota, rota.replace(b'"role":"pcso"', b'"role":"pcsq"', 1)),
    ]
    return {
        "town": town.text,
        "office": office.public.raw.hex(),
        "valid": [
            {"name": "people", "sealed": people.decode(), "snapshot": msgspec.to_builtins(PEOPLE)},
            {"name": "premises", "sealed": premises.decode(), "snapshot": msgspec.to_builtins(PREMISES)},
            {"name": "rota", "sealed": rota.decode(), "snapshot": msgspec.to_builtins(ROTA)},
        ],
        "invalid": [
            {"name": name, "kind": NAMES[kind], "sealed": data.decode(), "reason": _refusal(data, kind, town)}
            for name, kind, data in cases
        ],
    }


def _refusal(data: bytes, kind: type[Snapshot], town: Town) -> str:
    try:
        open_snapshot(data, kind, town, (KEYS["office"].public,))
    except SnapshotError as e:
        return e.reason
    raise AssertionError("a snapshot that should be refused is taken")
