"""A reader of the office's snapshots goes on with the last good one, whatever lies in the folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from runtime import snapshot_folder
from runtime.snapshot_folder import BUSY_SHARE, LOOK_S, PAUSE_MAX_S, SnapshotFolder, pause_s
from wire.entry_lists import ENTRIES_AT_ONCE
from wire.messages import Message
from wire.signing import PublicKey, SigningKey
from wire.snapshots import ENTRIES_MAX, AuditHead, People, PersonEntry, Rota, Town, file_name, seal_named, seal_snapshot

OFFICE, NEXT_OFFICE, STRANGER = (SigningKey(letter * 32) for letter in (b"o", b"n", b"x"))
TOWN = Town(SigningKey(b"a" * 32).public)


def people(number: int, *, ticket_key: bytes = b"t" * 32) -> People:
    head = AuditHead(sequence=number, digest="ab" * 32)
    at = datetime(2026, 11, 27, 12, tzinfo=UTC)
    return People(number=number, made_at=at, audit=head, ticket_key=ticket_key, people=())


class Stuffed(Message, frozen=True):
    """What whoever has the office's key can sign."""

    people: tuple[dict[str, int], ...]


class Bench:
    """A folder, its reader, and what the reader was told."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "snapshots"
        self.folder.mkdir()
        self.kept = tmp_path / "kept"
        self.keys: tuple[PublicKey, ...] = (OFFICE.public,)
        self.numbers: list[int] = []
        self.faults: list[str] = []
        self.take: Callable[[People], None] = lambda snapshot: self.numbers.append(snapshot.number)
        self.begin()

    def begin(self) -> None:
        """A reader that remembers nothing but what it kept."""
        self.reader = SnapshotFolder(
            self.folder,
            self.kept,
            People,
            TOWN,
            keys=lambda: self.keys,
            on_new=self.give,
            on_fault=self.faults.append,
        )

    def give(self, snapshot: People) -> None:
        self.take(snapshot)

    def put(self, number: int, data: bytes | None = None, key: SigningKey = OFFICE) -> Path:
        path = self.folder / file_name("people", number)
        path.write_bytes(seal_snapshot(people(number), TOWN, key) if data is None else data)
        return path

    def look(self, times: int = 2) -> str:
        """What is wrong afterwards."""
        for _ in range(times):
            self.reader.look()
        return self.reader.fault


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_folder_gives_the_highest_number_once(bench: Bench) -> None:
    bench.put(9)
    bench.put(10)
    fault = bench.look(5)

    assert ([10], "") == (bench.numbers, fault)


def test_folder_without_snapshots_says_so_until_there_is_one(bench: Bench) -> None:
    assert "has not published a people snapshot" in bench.look()

    bench.put(1)

    assert "" == bench.look()
    assert ["", bench.faults[0]] == [bench.faults[-1], bench.faults[-2]]


def test_folder_of_an_older_office_may_lack_what_is_optional(bench: Bench) -> None:
    """C9: an office that knows of no rota works as before, and the last one stays in use all the same."""
    faults: list[str] = []
    numbers: list[int] = []

    def reader() -> SnapshotFolder[Rota]:
        return SnapshotFolder(
            bench.folder,
            bench.kept,
            Rota,
            TOWN,
            keys=lambda: bench.keys,
            on_new=lambda rota: numbers.append(rota.number),
            on_fault=faults.append,
            is_optional=True,
        )

    reader().look()
    assert ([], []) == (faults, numbers)

    at = datetime(2026, 11, 27, 12, tzinfo=UTC)
    found = Rota(number=3, made_at=at, audit=AuditHead(sequence=1, digest="ab" * 32), through=at, shifts=())
    published = bench.folder / file_name("rota", 3)
    published.write_bytes(seal_snapshot(found, TOWN, OFFICE))
    reader().look()
    published.unlink()
    reader().look()

    assert [3, 3] == numbers
    assert "Number 3 stays in use" in faults[-1]


def test_folder_that_is_not_there_is_a_fault_and_no_end(bench: Bench) -> None:
    bench.folder.rmdir()

    assert "cannot be read: No such file or directory" in bench.look()

    bench.folder.mkdir()
    bench.put(1)

    assert "" == bench.look()


def test_lower_number_is_refused_and_told(bench: Bench) -> None:
    bench.put(9)
    bench.look()
    (bench.folder / "people-9.json").unlink()
    bench.put(8)
    fault = bench.look()

    assert [9] == bench.numbers
    assert "number 8, lower than number 9" in fault


def test_list_stuffed_by_whoever_stole_the_key_leaves_the_last_good_one_in_use(bench: Bench) -> None:
    bench.put(9)
    bench.look()
    stuffed = Stuffed(people=({},) * (ENTRIES_MAX + 1))
    bench.put(10, seal_named("people", stuffed, TOWN, OFFICE, lambda _: stuffed))
    fault = bench.look()

    assert [9] == bench.numbers
    assert fault.startswith("The office's people-10.json is refused: over 32 MiB, with too many entries")
    assert fault == bench.faults[-1]


def test_lower_number_is_refused_after_a_restart_too(bench: Bench) -> None:
    bench.put(9)
    bench.look()
    (bench.folder / "people-9.json").unlink()
    bench.put(8)
    bench.begin()
    fault = bench.look()

    assert [9, 9] == bench.numbers
    assert "lower than number 9" in fault


def test_last_good_one_survives_a_restart_without_the_office(bench: Bench) -> None:
    bench.put(9).rename(bench.folder / "people-10.json")  # its name lies
    bench.put(9)
    bench.look()
    for path in bench.folder.iterdir():
        path.unlink()
    bench.begin()
    fault = bench.look()

    assert [9, 9] == bench.numbers
    assert "Number 9 stays in use" in fault


def test_number_in_the_name_must_be_the_one_inside(bench: Bench) -> None:
    bench.put(10, seal_snapshot(people(9), TOWN, OFFICE))
    fault = bench.look()

    assert [] == bench.numbers
    assert "its name says number 10, its contents say 9" in fault


def test_number_used_twice_is_refused_and_told(bench: Bench) -> None:
    bench.put(9)
    bench.look()
    bench.put(9, seal_snapshot(people(9, ticket_key=b"z" * 32), TOWN, OFFICE))
    fault = bench.look()

    assert bench.reader.newest
    assert b"t" * 32 == bench.reader.newest.ticket_key
    assert "used this number before" in fault


def test_half_written_file_is_no_fault_and_read_when_whole(bench: Bench) -> None:
    bench.put(8)
    bench.look()
    whole = seal_snapshot(people(9), TOWN, OFFICE)
    bench.put(9, whole[:100])
    bench.look(1)
    bench.put(9, whole)
    bench.look(1)

    assert ([8, 9], [""]) == (bench.numbers, [*bench.faults, ""])


def test_damaged_file_is_told_and_the_one_below_it_used(bench: Bench) -> None:
    bench.put(8)
    bench.put(9, b"{")
    fault = bench.look()

    assert [8] == bench.numbers
    assert "people-9.json is refused" in fault


def test_damaged_file_is_not_read_again_and_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.put(9, b"{")
    bench.look()
    monkeypatch.setattr("runtime.snapshot_folder.open_snapshot", lambda *_, **__: pytest.fail("read again"))

    assert "is refused" in bench.look()


def test_file_that_could_not_be_read_is_read_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disk leaves no trace in the file's times."""
    bench.put(9)
    with monkeypatch.context() as patched:
        patched.setattr("runtime.snapshot_folder.os.open", refuse_to_open)
        assert "cannot be read: Input/output error" in bench.look()

    assert ("", [9]) == (bench.look(), bench.numbers)


def refuse_to_open(*_: object) -> int:
    raise OSError(5, "Input/output error")


def test_pipe_of_that_name_keeps_nobody_waiting(bench: Bench) -> None:
    os.mkfifo(bench.folder / "people-9.json")
    bench.put(8)

    assert "it is not a file" in bench.look()
    assert [8] == bench.numbers


def test_strangers_snapshot_is_refused(bench: Bench) -> None:
    bench.put(8)
    bench.put(9, key=STRANGER)

    assert "not signed by an office that the directory lists" in bench.look()
    assert [8] == bench.numbers


def test_snapshot_refused_for_its_key_is_taken_once_the_directory_lists_it(bench: Bench) -> None:
    bench.put(9, key=NEXT_OFFICE)
    bench.look()
    bench.keys = (OFFICE.public, NEXT_OFFICE.public)

    assert ("", [9]) == (bench.look(), bench.numbers)


def test_struck_key_leaves_the_last_one_in_use_and_says_so(bench: Bench) -> None:
    bench.put(9)
    bench.look()
    bench.keys = (NEXT_OFFICE.public,)
    bench.put(10)
    fault = bench.look()

    assert [9] == bench.numbers
    assert "number 9, was signed with a key that is no longer trusted" in fault


def test_struck_key_is_told_after_a_restart_too(bench: Bench) -> None:
    bench.put(9)
    bench.look()
    bench.keys = ()
    bench.begin()

    assert "no longer trusted" in bench.look()
    assert [9, 9] == bench.numbers


def test_thief_of_a_struck_key_cannot_shut_the_office_out_by_a_high_number(bench: Bench) -> None:
    bench.keys = (OFFICE.public, NEXT_OFFICE.public)
    bench.put(9_000_000)
    bench.look()
    bench.keys = (NEXT_OFFICE.public,)
    bench.put(10, key=NEXT_OFFICE)
    bench.look()
    bench.begin()
    bench.look()

    assert [9_000_000, 10, 10] == bench.numbers
    assert 1 == len(list(bench.kept.iterdir()))


def test_full_disk_keeps_no_snapshot_from_use(bench: Bench) -> None:
    bench.kept.write_text("in the way of the folder")
    bench.put(9)
    fault = bench.look()

    assert [9] == bench.numbers
    assert "cannot be kept" in fault

    bench.kept.unlink()

    assert "" == bench.look()
    assert 1 == len(list(bench.kept.iterdir()))


def test_damaged_kept_file_is_passed_over(bench: Bench) -> None:
    bench.put(9)
    bench.look()
    next(bench.kept.iterdir()).write_bytes(b"{")
    bench.begin()
    bench.look()

    assert [9, 9] == bench.numbers


def test_reader_that_raises_is_given_the_snapshot_again(bench: Bench) -> None:
    taken = bench.take

    def fail(snapshot: People) -> None:
        bench.take = taken
        raise RuntimeError("not now")

    bench.take = fail
    bench.put(9)
    bench.look()

    assert [9] == bench.numbers


def test_keys_that_cannot_be_had_are_a_fault_and_no_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.put(9)
    with monkeypatch.context() as patched:
        patched.setattr(bench.reader, "_keys", refuse_to_open)
        assert "failed: OSError" in bench.look()

    assert ("", [9]) == (bench.look(), bench.numbers)


def test_thread_looks_by_itself_and_ends_when_asked(bench: Bench) -> None:
    bench.put(9)
    bench.take = lambda snapshot: bench.reader.stop()
    bench.reader.start()
    bench.reader._thread.join(60)

    assert not bench.reader._thread.is_alive()


def test_held_list_is_trusted_while_its_signers_key_is(bench: Bench) -> None:
    assert bench.reader.is_trusted
    bench.put(9)
    bench.look()
    assert bench.reader.is_trusted
    bench.keys = (NEXT_OFFICE.public,)
    assert not bench.reader.is_trusted, "at once: nobody need look at the folder first"
    bench.begin()
    bench.look()
    assert not bench.reader.is_trusted
    bench.put(10, key=NEXT_OFFICE)
    bench.look()

    assert bench.reader.is_trusted


def test_long_list_leaves_the_interpreter_to_others_between_its_parts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    monkeypatch.setattr("runtime.snapshot_folder.time.sleep", rests.append)
    persons = [PersonEntry(account=n, username=f"p{n}", name="P") for n in range(1, 2 * ENTRIES_AT_ONCE + 2)]
    bench.put(9, seal_snapshot(replace(people(9), people=tuple(persons)), TOWN, OFFICE))
    bench.look(1)

    assert [9] == bench.numbers
    assert [snapshot_folder.REST_S] * 3 == rests


def test_look_that_was_much_work_is_followed_by_a_longer_pause() -> None:
    assert LOOK_S == pause_s(LOOK_S * BUSY_SHARE / 2)
    assert pause_s(LOOK_S) == LOOK_S / BUSY_SHARE


def test_pause_after_much_work_is_never_long() -> None:
    """On a slow machine, too, whoever lost their account is out within 30 s."""
    assert PAUSE_MAX_S == pause_s(PAUSE_MAX_S)
