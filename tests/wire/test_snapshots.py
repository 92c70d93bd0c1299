"""What the office publishes: who may sign it, and what a reader refuses."""

from __future__ import annotations

import base64
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from msgspec.structs import replace

from wire.entry_lists import ENTRIES_AT_ONCE
from wire.errors import EncodeError, SnapshotError
from wire.signing import SNAPSHOT_DOMAIN, SigningKey
from wire.snapshots import (
    ENTRIES_MAX,
    NAMES,
    TOLD_MAX,
    AuditHead,
    ContactEntry,
    PasskeyEntry,
    People,
    PersonEntry,
    PolicyEntry,
    Premises,
    PremisesEntry,
    RoleEntry,
    Rota,
    ShiftEntry,
    StepEntry,
    Town,
    WayEntry,
    file_name,
    open_snapshot,
    parse_file_name,
    seal_snapshot,
)

OFFICE = SigningKey(b"o" * 32)
TOWN = Town(SigningKey(b"a" * 32).public)
KEYS = (OFFICE.public,)
AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
HEAD = AuditHead(sequence=7, digest="ab" * 32)
JO = PersonEntry(
    account=3,
    username="jo",
    name="Jo Patel",
    roles=(RoleEntry(role="pcso", schemes=(1,)),),
    generation=4,
    ended_sessions=("0" * 32,),
    passkeys=(PasskeyEntry(credential=b"c", public_key=b"k"),),
    ways=(WayEntry(way="sms", to="+441164960000"),),
)
PEOPLE = People(number=9, made_at=AT, audit=HEAD, ticket_key=b"t" * 32, people=(JO,))
SHOP = PremisesEntry(
    premises=5,
    name="Corner Shop",
    schemes=(1,),
    when_going="Back door. Dog.",
    contacts=(ContactEntry(name="Sam", phone="0116 496 0000", is_key_holder=True),),
    alerts_to=(3, 4),
    faults_to=(4,),
)
PREMISES = Premises(number=2, made_at=AT, audit=HEAD, premises=(SHOP,))
NIGHT = ShiftEntry(role="pcso", scheme=1, account=3, begins_at=AT, ends_at=AT + timedelta(hours=8))
ASKED = PolicyEntry(
    scheme=1, kinds=("attack", "assist"), version=2, steps=(StepEntry(role="pcso", wait_s=30, ways=("push", "sms")),)
)
ROTA = Rota(number=1, made_at=AT, audit=HEAD, through=AT + timedelta(days=14), shifts=(NIGHT,), policies=(ASKED,))


def altered_and_signed(snapshot: People, was: bytes, altered: bytes) -> bytes:
    """What whoever has the office's key can make of a snapshot."""
    data, town = seal_snapshot(snapshot, TOWN, OFFICE), TOWN.text.encode()
    start, end = data.index(b'"snapshot":') + len(b'"snapshot":'), data.index(b',"signature":')
    inner = data[start:end].replace(was, altered)
    signature = OFFICE.sign(SNAPSHOT_DOMAIN, b"people\n" + town + b"\n" + inner)
    return data[:start] + inner + b',"signature":"' + base64.b64encode(signature) + b'"}'


def test_snapshot_is_read_back_as_it_was() -> None:
    assert PEOPLE == open_snapshot(seal_snapshot(PEOPLE, TOWN, OFFICE), People, TOWN, KEYS)
    assert PREMISES == open_snapshot(seal_snapshot(PREMISES, TOWN, OFFICE), Premises, TOWN, KEYS)
    assert ROTA == open_snapshot(seal_snapshot(ROTA, TOWN, OFFICE), Rota, TOWN, KEYS)


@pytest.mark.parametrize("count", [0, 1, ENTRIES_AT_ONCE, 2 * ENTRIES_AT_ONCE + 1])
def test_snapshot_is_read_whole_and_in_parts(count: int) -> None:
    rests: list[None] = []
    snapshot = replace(PREMISES, premises=tuple(replace(SHOP, premises=number) for number in range(1, count + 1)))
    data = seal_snapshot(snapshot, TOWN, OFFICE)

    assert snapshot == open_snapshot(data, Premises, TOWN, KEYS, rest=lambda: rests.append(None))
    assert -(-count // ENTRIES_AT_ONCE) == len(rests)


def test_entry_is_checked_wherever_it_stands() -> None:
    shops = [replace(SHOP, premises=number) for number in range(1, 2 * ENTRIES_AT_ONCE + 2)]
    shops[-1] = replace(shops[-1], schemes=())
    with pytest.raises(EncodeError, match="length >= 1"):
        seal_snapshot(replace(PREMISES, premises=tuple(shops)), TOWN, OFFICE)


def test_more_entries_than_a_town_has_are_refused() -> None:
    shops = tuple(replace(SHOP, premises=number, contacts=()) for number in range(1, ENTRIES_MAX + 2))
    seal_snapshot(replace(PREMISES, premises=shops[:-1]), TOWN, OFFICE)
    with pytest.raises(EncodeError, match=f"over {ENTRIES_MAX} entries"):
        seal_snapshot(replace(PREMISES, premises=shops), TOWN, OFFICE)


def test_snapshot_is_json_that_a_person_can_read() -> None:
    read = msgspec.json.decode(seal_snapshot(PEOPLE, TOWN, OFFICE))

    assert ("people", 9, "Jo Patel") == (
        read["name"],
        read["snapshot"]["number"],
        read["snapshot"]["people"][0]["name"],
    )


def test_time_is_settled_to_utc() -> None:
    summer = AT.astimezone(timezone(timedelta(hours=1)))
    read = open_snapshot(seal_snapshot(replace(PEOPLE, made_at=summer), TOWN, OFFICE), People, TOWN, KEYS)

    assert (AT, UTC) == (read.made_at, read.made_at.tzinfo)


@pytest.mark.parametrize(
    ("reason", "altered"),
    [
        ("snapshot signature", lambda data: data.replace(b"Jo Patel", b"Jo Pasel")),
        ("snapshot signature", lambda data: data.replace(b'"number":9', b'"number":8')),
        ("snapshot signature", lambda data: data.replace(b'"number":9', b'"number": 9')),
        ("snapshot town", lambda data: data.replace(TOWN.text.encode(), b"0" * 64)),
        ("snapshot name", lambda data: data.replace(b'"name":"people"', b'"name":"premises"')),
        ("snapshot", lambda data: data[: len(data) // 2]),
        ("snapshot", lambda data: b""),
        ("snapshot", lambda data: b"[" * 100_000),
        ("snapshot", lambda data: data.replace(b'"signature"', b'"signed"')),
        ("snapshot too large", lambda data: data + b" " * 33_554_432),
    ],
)
def test_altered_snapshot_is_refused(reason: str, altered: Callable[[bytes], bytes]) -> None:
    data = altered(seal_snapshot(PEOPLE, TOWN, OFFICE))
    with pytest.raises(SnapshotError) as refused:
        open_snapshot(data, People, TOWN, KEYS)

    assert reason == refused.value.reason


def test_only_a_trusted_office_signs() -> None:
    data = seal_snapshot(PEOPLE, TOWN, SigningKey(b"x" * 32))
    for keys in ((), KEYS):
        with pytest.raises(SnapshotError, match="signature"):
            open_snapshot(data, People, TOWN, keys)

    assert PEOPLE == open_snapshot(data, People, TOWN, (*KEYS, SigningKey(b"x" * 32).public))


def test_a_name_is_signed_too() -> None:
    """One kind of snapshot must never be read as another, even if its fields fit."""
    data = seal_snapshot(PREMISES, TOWN, OFFICE).replace(b'"name":"premises","town"', b'"name":"people","town"')
    with pytest.raises(SnapshotError, match="signature"):
        open_snapshot(data, People, TOWN, KEYS)


def test_what_contradicts_itself_is_neither_written_nor_read() -> None:
    with pytest.raises(ValueError, match="account"):
        People(number=1, made_at=AT, audit=HEAD, ticket_key=b"", people=(JO, replace(JO, username="other")))
    with pytest.raises(ValueError, match="username"):
        People(number=1, made_at=AT, audit=HEAD, ticket_key=b"", people=(JO, replace(JO, account=4)))
    with pytest.raises(EncodeError):
        seal_snapshot(replace(PREMISES, premises=(replace(SHOP, schemes=()),)), TOWN, OFFICE)
    with pytest.raises(ValueError, match="two policies"):
        replace(ROTA, policies=(ASKED, replace(ASKED, kinds=("theft", "attack"))))
    with pytest.raises(ValueError, match="ends before it begins"):
        replace(NIGHT, ends_at=NIGHT.begins_at)
    for steps in ((), ASKED.steps * 9, (replace(ASKED.steps[0], wait_s=14),)):
        with pytest.raises(EncodeError):
            seal_snapshot(replace(ROTA, policies=(replace(ASKED, steps=steps),)), TOWN, OFFICE)


def test_shifts_of_one_night_are_of_one_time_wherever_they_were_written() -> None:
    summer = timezone(timedelta(hours=1))
    written = replace(NIGHT, begins_at=NIGHT.begins_at.astimezone(summer), ends_at=NIGHT.ends_at.astimezone(summer))

    assert (NIGHT, UTC) == (written, written.ends_at.tzinfo)


@pytest.mark.parametrize(
    ("was", "altered", "what"),
    [
        (b'"account":4', b'"account":3', "an account is listed twice"),
        (b'"username":"al"', b'"username":"jo"', "a username is listed twice"),
        (b'"made_at":"2026', b'"made_at":"1926', "made_at is not a moment"),
    ],
)
def test_signed_snapshot_that_contradicts_itself_is_refused(was: bytes, altered: bytes, what: str) -> None:
    """As one that is malformed, so that whoever reads it goes on with the one before."""
    data = altered_and_signed(replace(PEOPLE, people=(JO, replace(JO, account=4, username="al"))), was, altered)
    with pytest.raises(SnapshotError, match=what) as refused:
        open_snapshot(data, People, TOWN, KEYS)

    assert "snapshot" == refused.value.reason


@pytest.mark.parametrize(
    ("was", "unit"),
    [
        (b'"people":[', b"0,"),
        (b'"people":[', b"{},"),
        (b'"people":[', b'{"account":1},'),
        (b'"schemes":[', b"1,"),
        (b'"roles":[', b'{"role":"pcso","schemes":[1]},'),
        (b'"ended_sessions":[', b'"%s",' % (b"0" * 32)),
        (b'"passkeys":[', b'{"credential":"Yw==","public_key":"aw=="},'),
    ],
)
def test_list_stuffed_by_whoever_stole_the_key_is_refused_before_it_takes_memory(was: bytes, unit: bytes) -> None:
    """Decoded first and measured afterwards, a file of 32 MiB took 1.2 GB and held central for seconds."""
    data = altered_and_signed(PEOPLE, was, was + unit * (1_000_000 // len(unit)))
    tracemalloc.start()
    try:
        with pytest.raises(SnapshotError, match=r"snapshot too large|snapshot: Expected `object`"):
            open_snapshot(data, People, TOWN, KEYS)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 4 * len(data)


def test_longest_entries_that_their_fields_allow_are_read() -> None:
    """The bound on an entry's bytes refuses nobody's honest one: texts are of characters that JSON spells out."""
    key = PasskeyEntry(credential=b"c" * 1_023, public_key=b"k" * 2_048)
    person = PersonEntry(
        account=2**53,
        username="\x01" * 64,
        name="\x01" * 64,
        roles=(RoleEntry(role="members-contact", schemes=(0xFFFF,) * 4),) * 16,
        generation=2**53,
        ended_sessions=("0" * 32,) * 64,
        passkeys=(key,) * 16,
        printed_codes=("0" * 64,) * 10,
        second_factors=("0" * 64,) * 4,
        ways=(WayEntry(way="email", to="\x01" * 254),) * 4,
    )
    contact = ContactEntry(name="\x01" * 64, phone="\x01" * 32, is_key_holder=True, note="\x01" * 500)
    shop = PremisesEntry(
        premises=2**53,
        name="\x01" * 64,
        schemes=(0xFFFF,) * 4,
        place="\x01" * 64,
        address="\x01" * 500,
        opening_hours="\x01" * 500,
        staff_contact="\x01" * 500,
        when_going="\x01" * 2_000,
        contacts=(contact,) * 16,
        alerts_to=(2**53,) * TOLD_MAX,
        faults_to=(2**53,) * TOLD_MAX,
    )

    assert seal_snapshot(replace(PEOPLE, people=(person,)), TOWN, OFFICE)
    assert seal_snapshot(replace(PREMISES, premises=(shop,)), TOWN, OFFICE)


@pytest.mark.parametrize(
    "text", ["people-0.json", "people-01.json", "people-1.json.tmp", "staff-1.json", ".people-1.json"]
)
def test_other_files_are_no_snapshots(text: str) -> None:
    assert parse_file_name(text) is None


def test_file_name_is_read_back() -> None:
    for name in NAMES.values():
        assert (name, 12) == parse_file_name(file_name(name, 12))
