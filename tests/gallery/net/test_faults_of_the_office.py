"""Whatever the office or somebody between does to an answer becomes an event, and costs no more than that."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import pytest

from gallery.arrivals import Arrivals
from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.staff import StaffTold
from gallery.net import connection as connection_module
from gallery.net.changes import Own
from gallery.net.connection import OfficeConnection
from gallery.net.contact import Contact, Sources
from gallery.net.errors import OfficeError
from gallery.net.fetching import TRIES_MAX, Fetching
from gallery.net.pauses import LONGEST_S, pause_s
from gallery.store.photographs import Photographs
from runtime.monotonic import monotonic_ms
from tests.support.asking_town import HART, OFFICE, SHOP, TOWN, AskingTown, sealing_key
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_card import HART as CARD_HART
from tests.support.gallery_card import Published
from tests.support.gallery_online import office_of
from tests.support.scripted_office import Asked, Said, scripted_office
from wire.enrolment import Refusal
from wire.gallery_contact import GalleryAnswer, GalleryChange, decode_question, encode_answer
from wire.gallery_head import seal_head
from wire.gallery_lines import NO_LINES
from wire.gallery_paths import CONTACT_PATH, VIEWS_PATH
from wire.gallery_staff import StaffEntry, staff_digest
from wire.gallery_views import ViewHead
from wire.signing import SigningKey

assert HART == CARD_HART
NOTHING: Final = do.AskOffice((), ViewHead(n=0, digest="0" * 64), 0)
FILE: Final = bytes(range(256)) * 300
DIGEST: Final = sha256(FILE).hexdigest()
QUIET: Final = encode_answer(GalleryAnswer(now_s=1_800_000_000, lease_until_s=1_800_000_060, schemes=(HART,)))


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    folder = tmp_path / "town"
    folder.mkdir()
    return AskingTown(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "photographs"


class Asker:
    """The thread that asks, alone."""

    def __init__(self, town: AskingTown, port: int, views_after: Callable[[int], bytes] = lambda _number: b"") -> None:
        self.events: queue.SimpleQueue[ev.Event] = queue.SimpleQueue()
        self.pauses: list[int] = []
        self.arrivals = Arrivals()
        sources = Sources(lambda _scheme: NO_LINES, views_after, lambda: (OFFICE.public,), monotonic_ms)
        own = Own(TOWN, SHOP, sealing_key(SHOP))
        self.thread = Contact(office_of(town, port), own, sources, self.arrivals, self.events.put, pause=self._pause)
        self.thread.start()

    def asks(self, question: do.AskOffice = NOTHING) -> ev.Event:
        """The event that comes of it."""
        self.thread.ask(question)
        return self.events.get(timeout=DEADLINE_S)

    def _pause(self, times: int) -> float:
        self.pauses.append(times)
        return 0.0


class Fetcher:
    """The thread that fetches, alone."""

    def __init__(self, town: AskingTown, port: int, photographs: Photographs) -> None:
        self.events: queue.SimpleQueue[ev.Event] = queue.SimpleQueue()
        self.pauses: list[tuple[int, int]] = []
        self.thread = Fetching(office_of(town, port), photographs, self.events.put, monotonic_ms, pause=self._pause)
        self.thread.start()

    def fetches(self, *digests: str) -> ev.Event:
        """The first event that comes of it."""
        self.thread.fetch(digests)
        return self.events.get(timeout=DEADLINE_S)

    def _pause(self, failures: int, asked_for_s: int) -> float:
        self.pauses.append((failures, asked_for_s))
        return 0.0


@pytest.fixture
def photographs(folder: Path) -> Photographs:
    photographs = Photographs(folder)
    photographs.look()
    return photographs


def cut_then_ranges(asked: Asked) -> Said:
    """A third, and another connection's end; then what is asked for."""
    if not asked.range:
        return Said(FILE, cut_at=30_000)
    begin = int(asked.range.removeprefix("bytes=").rstrip("-"))
    headers = {"Content-Range": f"bytes {begin}-{len(FILE) - 1}/{len(FILE)}"}
    return Said(FILE[begin:], 206, headers, cut_at=20_000 if begin == 30_000 else None)


def test_file_that_was_cut_off_goes_on_where_it_was(town: AskingTown, photographs: Photographs) -> None:
    with scripted_office(town, cut_then_ranges) as office:
        fetcher = Fetcher(town, office.port, photographs)

        assert ev.PhotographsStored(frozenset({DIGEST})) == fetcher.fetches(DIGEST)
        assert ["", "bytes=30000-", "bytes=50000-"] == [one.range for one in office.asked]
        assert FILE == photographs.read(DIGEST)
        assert fetcher.thread.stop(DEADLINE_S)


def test_part_that_was_not_asked_for_is_not_put_together(town: AskingTown, photographs: Photographs) -> None:
    def other_part(asked: Asked) -> Said:
        if not asked.range:
            return Said(FILE, cut_at=30_000) if len(office.asked) == 1 else Said(FILE)
        return Said(FILE[1:], 206, {"Content-Range": f"bytes 1-{len(FILE) - 1}/{len(FILE)}"})

    with scripted_office(town, other_part) as office:
        fetcher = Fetcher(town, office.port, photographs)

        assert ev.PhotographsStored(frozenset({DIGEST})) == fetcher.fetches(DIGEST)
        assert ["", "bytes=30000-", ""] == [one.range for one in office.asked]
        assert fetcher.thread.stop(DEADLINE_S)


def test_file_with_another_hash_is_not_kept(town: AskingTown, photographs: Photographs, folder: Path) -> None:
    with scripted_office(town, lambda _asked: Said(FILE[:-1] + b"?")) as office:
        fetcher = Fetcher(town, office.port, photographs)
        event = fetcher.fetches(DIGEST)
        assert fetcher.thread.stop(DEADLINE_S)

    assert isinstance(event, ev.PhotographsFailed)
    assert "not what its name says" in event.reason
    assert [] == list(folder.iterdir())


def test_file_outlives_a_power_cut_before_anybody_is_told(town: AskingTown, folder: Path) -> None:
    class Settled(Photographs):
        told: list[bool]

        def settle(self) -> None:
            self.told = [not fetcher.events.empty()]
            super().settle()

    photographs = Settled(folder)
    photographs.look()
    with scripted_office(town, lambda _asked: Said(FILE)) as office:
        fetcher = Fetcher(town, office.port, photographs)
        fetcher.fetches(DIGEST)
        assert fetcher.thread.stop(DEADLINE_S)

    assert [False] == photographs.told


def test_file_that_is_gone_costs_the_others_nothing(town: AskingTown, photographs: Photographs) -> None:
    def gone(asked: Asked) -> Said:
        if DIGEST in asked.path:
            return Said(FILE)
        return Said(msgspec.json.encode(Refusal(problem="not found")), 404)

    with scripted_office(town, gone) as office:
        fetcher = Fetcher(town, office.port, photographs)
        first, second = fetcher.fetches("ab" * 32, DIGEST), fetcher.events.get(timeout=DEADLINE_S)
        assert fetcher.thread.stop(DEADLINE_S)

    assert isinstance(first, ev.PhotographsFailed)
    assert frozenset({"ab" * 32}) == first.digests
    assert ev.PhotographsStored(frozenset({DIGEST})) == second


def test_office_that_is_busy_is_left_alone_longer_each_time(town: AskingTown, photographs: Photographs) -> None:
    busy = Said(msgspec.json.encode(Refusal(problem="slow down", retry_s=7)), 503)
    with scripted_office(town, lambda _asked: busy) as office:
        fetcher = Fetcher(town, office.port, photographs)
        event = fetcher.fetches(DIGEST, "cd" * 32)
        assert fetcher.thread.stop(DEADLINE_S)

    assert [(failures, 7) for failures in range(1, TRIES_MAX)] == fetcher.pauses
    assert isinstance(event, ev.PhotographsFailed)
    assert frozenset({DIGEST, "cd" * 32}) == event.digests, "it is the core's turn"
    assert "slow down" in event.reason


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Said(b"x" * 2_000_000), "sends an answer that is too large"),
        (Said(b"nonsense"), "is none"),
        (Said(QUIET, cut_at=5), "cut off"),
        (Said(QUIET, status=500), "status 500"),
        (Said(msgspec.json.encode(Refusal(problem="struck")), 403), "refuses: struck"),
        (Said(b"", length=10, cut_at=0), "cut off"),
    ],
    ids=["too-large", "nonsense", "cut-off", "no-refusal", "struck", "empty"],
)
def test_answer_that_is_none_is_a_failure_with_a_reason(town: AskingTown, said: Said, words: str) -> None:
    with scripted_office(town, lambda _asked: said) as office:
        asker = Asker(town, office.port)
        event = asker.asks()
        assert asker.thread.stop(DEADLINE_S)

    assert isinstance(event, ev.OfficeFailed)
    assert words in event.reason


def test_office_that_is_not_there_is_a_failure_with_a_reason(town: AskingTown) -> None:
    with scripted_office(town, lambda _asked: Said(QUIET)) as office:
        port = office.port
    asker = Asker(town, port)
    event = asker.asks()
    assert asker.thread.stop(DEADLINE_S)

    assert isinstance(event, ev.OfficeFailed)
    assert "no office answers at" in event.reason


def test_office_of_another_town_is_told_nothing(town: AskingTown, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with scripted_office(AskingTown(other), lambda _asked: Said(QUIET)) as office:
        asker = Asker(town, office.port)
        event = asker.asks()
        assert asker.thread.stop(DEADLINE_S)

        assert isinstance(event, ev.OfficeFailed)
        assert "another CA" in event.reason
        assert [] == office.asked


def test_proxy_of_the_environment_is_not_used(town: AskingTown, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with scripted_office(town, lambda _asked: Said(QUIET)) as office:
        asker = Asker(town, office.port)

        assert isinstance(asker.asks(), ev.OfficeAnswered)
        assert asker.thread.stop(DEADLINE_S)


def change_signed_by(key: SigningKey) -> bytes:
    """An answer with a gallery."""
    parcel = Published().issue(17).parcel()
    change = GalleryChange(
        scheme=HART,
        head=msgspec.Raw(seal_head(parcel.head, TOWN, key)),
        after=0,
        lines=parcel.lines.data.decode(),
        keys=tuple(parcel.rows.values()),
    )
    return encode_answer(
        GalleryAnswer(now_s=1_800_000_000, lease_until_s=1_800_000_060, schemes=(HART,), changes=(change,))
    )


def test_head_that_no_office_of_ours_signed_is_not_taken(town: AskingTown) -> None:
    """What else the answer says counts, but no lease. It would come again at once: it is asked for later each time."""
    forged = change_signed_by(SigningKey(b"s" * 32))
    with scripted_office(town, lambda _asked: Said(forged)) as office:
        asker = Asker(town, office.port)
        events = [asker.asks() for _ in range(4)]
        assert asker.thread.stop(DEADLINE_S)

    answered = [event for event in events if isinstance(event, ev.OfficeAnswered)]
    assert [((), (HART,))] * 4 == [(event.galleries, event.unproven) for event in answered]
    assert [1, 2, 3] == asker.pauses[-3:]
    assert None is asker.arrivals.lines(HART, 1)


def test_gallery_that_comes_again_is_asked_for_later_each_time(town: AskingTown) -> None:
    """The disk is full: the core's question does not change, nor does the answer."""
    same = change_signed_by(OFFICE)
    with scripted_office(town, lambda _asked: Said(same)) as office:
        asker = Asker(town, office.port)
        for _ in range(4):
            event = asker.asks()
        again = asker.pauses[-3:]
        asker.asks(do.AskOffice((do.Held(HART, 1, is_complete=False),), NOTHING.views, 0))
        assert asker.thread.stop(DEADLINE_S)

    assert isinstance(event, ev.OfficeAnswered)
    assert [1] == [one.number for one in event.galleries]
    assert frozenset({17}) == event.galleries[0].unopened, "rows of the card's key are not this unit's"
    assert [0, 1, 2] == again


def test_staff_and_open_schemes_reach_the_core_and_the_question_names_what_is_known(town: AskingTown) -> None:
    listed = StaffEntry(person=4, name="Ann", code=7, code_check="ab" * 32)
    known = StaffTold(4, "Ann", 7, "ab" * 32)
    answer = encode_answer(
        GalleryAnswer(now_s=1, lease_until_s=2, schemes=(HART, 2), open_schemes=(2,), staff=(listed,))
    )
    with scripted_office(town, lambda _asked: Said(answer)) as office:
        asker = Asker(town, office.port)
        event = asker.asks()
        asker.asks(do.AskOffice((), NOTHING.views, 0, (known,)))
        assert asker.thread.stop(DEADLINE_S)
        questions = [decode_question(one.body).staff for one in office.asked]

    assert isinstance(event, ev.OfficeAnswered)
    assert (known,) == event.staff
    assert (ev.SchemeTold(HART), ev.SchemeTold(2, shows_without_proof=True)) == event.schemes
    assert [staff_digest(()), staff_digest((listed,))] == questions


def test_answer_of_an_older_office_leaves_the_staff_as_it_is(town: AskingTown) -> None:
    with scripted_office(town, lambda _asked: Said(QUIET)) as office:
        asker = Asker(town, office.port)
        event = asker.asks()
        assert asker.thread.stop(DEADLINE_S)

    assert isinstance(event, ev.OfficeAnswered)
    assert None is event.staff


def test_newer_question_ends_the_one_that_waits(town: AskingTown) -> None:
    waits, released = threading.Event(), threading.Event()

    def say(asked: Asked) -> Said:
        if not decode_question(asked.body).holds:
            waits.set()
            released.wait(DEADLINE_S)
        return Said(QUIET)

    with scripted_office(town, say) as office:
        asker = Asker(town, office.port)
        asker.thread.ask(NOTHING)
        assert waits.wait(DEADLINE_S)
        event = asker.asks(do.AskOffice((do.Held(HART, 1, is_complete=False),), NOTHING.views, 0))

        assert isinstance(event, ev.OfficeAnswered)
        assert not released.is_set(), "it did not wait for the first"
        assert asker.thread.stop(DEADLINE_S)
        assert asker.events.empty()
        released.set()


def test_views_go_before_the_question_batch_by_batch(town: AskingTown) -> None:
    first, rest = b"record\n" * 500, b"record\n" * 3

    def say(asked: Asked) -> Said:
        if asked.path != VIEWS_PATH:
            return Said(QUIET)
        return Said(msgspec.json.encode(ViewHead(n=500 if asked.body == first else 503, digest="0" * 64)))

    with scripted_office(town, say) as office:
        asker = Asker(town, office.port, {0: first, 500: rest, 503: b""}.__getitem__)
        event = asker.asks()
        assert asker.thread.stop(DEADLINE_S)

    assert [first, rest] == [one.body for one in office.asked[:2]]
    assert CONTACT_PATH == office.asked[2].path
    assert isinstance(event, ev.OfficeAnswered)
    assert 503 == event.views_received


def test_office_that_has_views_of_a_copy_has_none_of_ours_that_were_not_sent(town: AskingTown) -> None:
    """They would be forgotten here, and be nowhere."""
    far = Said(msgspec.json.encode(ViewHead(n=2**53, digest="0" * 64)))
    first, rest = b"record\n" * 500, b"record\n" * 3
    with scripted_office(town, lambda asked: far if asked.path == VIEWS_PATH else Said(QUIET)) as office:
        asker = Asker(town, office.port, {0: first, 500: rest, 503: b""}.__getitem__)
        event = asker.asks()
        assert asker.thread.stop(DEADLINE_S)

    assert isinstance(event, ev.OfficeAnswered)
    assert 503 == event.views_received
    assert [first, rest] == [one.body for one in office.asked[:2]]


@pytest.mark.parametrize(
    "said",
    [
        Said(msgspec.json.encode(Refusal(problem="fork")), 409),
        Said(b"nonsense"),
        Said(msgspec.json.encode(ViewHead(n=0, digest="0" * 64))),
    ],
    ids=["fork", "nonsense", "none-taken"],
)
def test_views_that_are_not_taken_keep_nobody_from_hearing_what_is_lifted(town: AskingTown, said: Said) -> None:
    with scripted_office(town, lambda asked: said if asked.path == VIEWS_PATH else Said(QUIET)) as office:
        asker = Asker(town, office.port, lambda _number: b"views")
        event = asker.asks()
        assert asker.thread.stop(DEADLINE_S)

    assert isinstance(event, ev.OfficeAnswered)
    assert 0 == event.views_received
    assert 2 == len(office.asked)


def test_certificate_that_was_renewed_is_shown_next(town: AskingTown) -> None:
    with scripted_office(town, lambda _asked: Said(QUIET)) as office:
        asker = Asker(town, office.port)
        asker.asks()
        first = town.certificates.pop(SHOP).serial
        office_of(town, office.port)

        assert isinstance(asker.asks(), ev.OfficeAnswered)
        assert [first, town.certificates[SHOP].serial] == [one.serial for one in office.asked]
        assert asker.thread.stop(DEADLINE_S)


def test_body_that_drips_is_cut_off(town: AskingTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "WHOLE_S", -1.0)
    with scripted_office(town, lambda _asked: Said(FILE)) as office:
        connection = OfficeConnection(office_of(town, office.port), threading.RLock())
        with pytest.raises(OfficeError, match="takes too long"):
            connection.get("/file", len(FILE), lambda: True)


def test_pauses_grow_to_a_limit_and_differ() -> None:
    assert 0.0 == pause_s(0)
    assert all(1 <= pause_s(1) <= 3 for _ in range(20))
    assert all(LONGEST_S / 2 <= pause_s(40) <= LONGEST_S * 1.5 for _ in range(20))
    assert pause_s(1, asked_for_s=60) > 60
    assert len({pause_s(3) for _ in range(20)}) > 10


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    yield
    left = [one.name for one in threading.enumerate() if one.name.startswith("gallery")]
    assert [] == left
