"""The one thread: it turns the core, carries out its orders on a real card, and answers whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

import gallery.running
from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.effects import CloseSession, NotShown, RedrawPages, RefuseView, SignIn
from gallery.core.machine import step
from gallery.core.readable import Why
from gallery.core.staff import StaffTold
from gallery.page.ports import GalleryPort, Opened
from gallery.store.gallery_store import GalleryStore
from runtime.sqlite_file import StoreRefusedError
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_card import DAY_S, HART, KEY, NOW_S, Published
from tests.support.gallery_running import ALICE, PIN, RunningGallery, answer, hung
from wire.gallery_views import read_views

FACE = b"\xff\xd8 a face \xff\xd9" * 200
Starts = Callable[..., RunningGallery]


@pytest.fixture
def starts(tmp_path: Path) -> Iterator[Starts]:
    """One after the other on the same card."""
    begun: list[RunningGallery] = []

    def start(boot_id: str = "boot 1", *, battery_s: int | None = None) -> RunningGallery:
        if begun:
            begun.pop().end()
        begun.append(RunningGallery(tmp_path / "card", boot_id, battery_s=battery_s))
        return begun[-1].start()

    yield start
    for one in begun:
        one.end()


@pytest.fixture
def shop(starts: Starts) -> RunningGallery:
    return starts()


@pytest.fixture
def hart(shop: RunningGallery) -> Published:
    """Nora, with a photograph, and Norman, who came after her."""
    hart = Published().issue(17, "Nora Nobody", FACE).issue(18, "Norman Nobody")
    shop.told(hart)
    shop.until(shop.shows(18, 17))
    shop.arrive(hart)
    shop.until(lambda: bool(shop.people()[1].sizes))
    return hart


@pytest.fixture
def session(shop: RunningGallery, hart: Published) -> str:
    """Alice is signed in."""
    assert hart
    return shop.sign_in()


def views(shop: RunningGallery) -> list[tuple[int, str]]:
    """Case and kind of each record on the disk."""
    return [(view.record.case, view.record.kind) for view in read_views(shop.store.views_after(0))]


def test_running_is_what_the_page_asks(shop: RunningGallery) -> None:
    port: GalleryPort = shop.running

    assert () == port.snapshot().schemes


def test_people_are_listed_newest_first_in_words(shop: RunningGallery, hart: Published) -> None:
    snapshot = shop.running.snapshot()
    (scheme,) = snapshot.schemes
    norman, nora = scheme.people

    assert ("Corner Shop", "HART", None, 0) == (snapshot.premises, scheme.name, scheme.off, scheme.coming)
    assert ("Nora Nobody", "HART-0017", frozenset({"small"})) == (nora.text.name, nora.text.reference, nora.sizes)
    assert hart.lines[17].last_day == nora.last_day
    assert frozenset() == norman.sizes
    assert NOW_S <= snapshot.now_s <= NOW_S + 60
    assert NOW_S == snapshot.heard_at_s


def test_view_is_answered_once_it_is_on_the_disk(shop: RunningGallery, session: str) -> None:
    seen: list[list[tuple[int, str]]] = []
    future = shop.running.view(ev.ViewAsked("r", session, HART, 17, "person"), "small")
    future.add_done_callback(lambda _future: seen.append(views(shop)))
    opened = answer(future)

    assert isinstance(opened, Opened)
    assert opened.text is not None
    assert ("Nora Nobody", FACE) == (opened.text.name, opened.photograph)
    shop.until(lambda: [[(17, "person")]] == seen)


def test_list_is_one_record_and_gives_small_pictures(shop: RunningGallery, session: str) -> None:
    refused = shop.look(session, 17, "list", "small")
    listed = shop.look(session, 0, "list")
    pictures = [shop.look(session, 17, "list", "small") for _ in range(3)]

    assert isinstance(refused, RefuseView)
    assert NotShown.NOT_LOGGED is refused.why
    assert isinstance(listed, Opened)
    assert (None, 1) == (listed.text, listed.number)
    assert [(FACE, 1, listed.at_s)] * 3 == [
        (one.photograph, one.number, one.at_s) for one in pictures if isinstance(one, Opened)
    ]
    assert [(0, "list")] == views(shop)


def test_what_is_lifted_is_neither_listed_nor_shown_nor_remembered(
    shop: RunningGallery, hart: Published, session: str
) -> None:
    redrawn: list[CloseSession | RedrawPages] = []
    shop.running.changed(redrawn.append)
    shop.told(hart.withdraw(17))
    shop.until(shop.shows(18))
    refused = shop.look(session, 17)

    assert isinstance(refused, RefuseView)
    assert Why.WITHDRAWN is refused.why
    assert RedrawPages() in redrawn
    assert [18] == [key[0] for _, key in shop.running._texts.known]
    assert [] == views(shop)


def test_pin_lets_in_and_another_does_not(shop: RunningGallery, session: str) -> None:
    closed: list[CloseSession | RedrawPages] = []
    shop.running.changed(closed.append)
    shop.running.sign_out(session)
    wrong = answer(shop.running.sign_in(ev.SignInAsked("a", ALICE, ev.Pin("314159"))))
    right = answer(shop.running.sign_in(ev.SignInAsked("b", ALICE, PIN)))

    assert (SignIn.WRONG, SignIn.OPEN) == (wrong.outcome, right.outcome)
    assert [CloseSession(session)] == closed
    assert {"b": ALICE} == shop.running.snapshot().sessions


def test_second_try_of_one_name_is_busy_and_ends_nothing(shop: RunningGallery, session: str) -> None:
    shop.running._awaited.attempt("a")
    busy = answer(shop.running.sign_in(ev.SignInAsked("a", ALICE, PIN)))

    assert SignIn.BUSY is busy.outcome


def test_facts_hold_numbers_and_no_name(shop: RunningGallery, session: str) -> None:
    shop.look(session, 17)
    shop.until(lambda: [2] == [told["people"] for told in shop.facts("gallery_readable")[-1:]])
    told = shop.facts("gallery_readable")[-1]

    assert ("0000000000000010", HART, "", 0) == (told["node"], told["scheme"], told["off"], told["coming"])
    assert "Nobody" not in shop.told_text
    assert "Alice" not in shop.told_text


def test_boot_without_proof_of_time_is_off_and_opens_nothing(starts: Starts, hart: Published) -> None:
    assert hart
    shop = starts("boot 2")
    shop.until(lambda: bool(shop.facts("gallery_readable")))
    (scheme,) = shop.running.snapshot().schemes

    assert Why.CLOCK_UNKNOWN is scheme.off
    assert [] == shop.people()
    assert {} == dict(shop.running._texts.known)


def test_battery_clock_proves_the_time_after_a_boot(starts: Starts, hart: Published) -> None:
    assert hart
    shop = starts("boot 2", battery_s=NOW_S + DAY_S)
    shop.until(shop.shows(18, 17))

    assert shop.running.snapshot().now_s >= NOW_S + DAY_S


def test_day_ends_by_itself(shop: RunningGallery, hart: Published) -> None:
    assert hart
    shop.now_ms += 101 * DAY_S * 1000
    shop.running.use("anybody")  # Wakes it; a real one wakes within a minute.
    shop.until(lambda: [] == shop.people())

    assert {} == dict(shop.running._texts.known)


def test_card_of_another_program_starts_nothing(shop: RunningGallery, tmp_path: Path) -> None:
    assert shop.running.state.is_started
    second = RunningGallery(tmp_path / "card")
    with pytest.raises(StoreRefusedError, match="another program"):
        second.start()
    second.end()

    assert [] == second.office.asked


def test_core_that_fails_on_a_view_goes_on(shop: RunningGallery, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(state: object, event: ev.Event, now_ms: int) -> object:
        if isinstance(event, ev.ViewAsked) and event.case == 18:
            raise ZeroDivisionError
        return step(state, event, now_ms)  # type: ignore[arg-type]

    monkeypatch.setattr(gallery.running, "step", fails)
    with pytest.raises(ZeroDivisionError):
        shop.look(session, 18)

    assert isinstance(shop.look(session, 17), Opened)


def test_core_that_fails_on_an_answer_asks_again(shop: RunningGallery, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(state: object, event: ev.Event, now_ms: int) -> object:
        if isinstance(event, ev.OfficeAnswered):
            raise ZeroDivisionError
        return step(state, event, now_ms)  # type: ignore[arg-type]

    monkeypatch.setattr(gallery.running, "step", fails)
    shop.told()
    shop.until(lambda: bool(shop.facts("office_lost")))
    shop.now_ms += 10_000
    shop.running.use("anybody")
    shop.until(lambda: 2 == len(shop.office.asked))


def test_core_that_fails_on_its_own_ends_the_run(shop: RunningGallery, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_state: object, _event: ev.Event, _now_ms: int) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(gallery.running, "step", fails)
    shop.running.put(ev.Stored(99))
    shop._thread.join(DEADLINE_S)

    assert [ZeroDivisionError] == [type(error) for error in shop.errors]


def test_core_that_hangs_turns_for_nobody(shop: RunningGallery, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.running.turn().result(DEADLINE_S)
    with hung(shop, monkeypatch):
        waiting = shop.running.turn()
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
    assert waiting.result(DEADLINE_S)


def test_row_that_does_not_open_is_asked_for_again(shop: RunningGallery, starts: Starts, hart: Published) -> None:
    gallery = shop.running.state.galleries[HART]
    lines, row = shop.store.lines(HART), hart.parcel().rows[17, 1]
    kept = do.KeepGallery(0, HART, gallery.title, tuple(gallery.lines.values()), frozenset({(17, 1)}), frozenset())
    shop.store.keep_gallery(kept, lines, {(17, 1): replace(row, sealed=bytes(len(row.sealed)))})
    shop = starts()
    shop.until(shop.shows(18))

    shop.until(lambda: [0] == [held.number for held in shop.office.asked[-1].held])
    assert None is shop.store.row(HART, (17, 1))


def test_damaged_photograph_is_not_shown_and_fetched_again(
    shop: RunningGallery, hart: Published, session: str, tmp_path: Path
) -> None:
    (path,) = (tmp_path / "card/photographs").iterdir()
    path.write_bytes(b"spoilt")
    opened = shop.look(session, 17, size="small")

    assert isinstance(opened, Opened)
    assert None is opened.photograph
    shop.until(lambda: bool(shop.facts("gallery_rejected")))
    shop.told(hart)
    shop.until(lambda: 2 == len(shop.office.fetched))


def test_staff_is_listed_by_name(shop: RunningGallery) -> None:
    shop.told_staff(StaffTold(2, "zoe", 1, "x"), StaffTold(1, "Alice", 1, "x"))

    assert [(1, False), (2, False)] == [(one.person, one.has_pin) for one in shop.running.snapshot().staff]


def test_who_waits_at_the_end_is_told_so(tmp_path: Path) -> None:
    shop = RunningGallery(tmp_path / "card")
    future = shop.running.view(ev.ViewAsked("r", "nobody", HART, 17, "person"))
    shop.end()

    assert future.cancelled()
    assert GalleryStore(tmp_path / "card", KEY)
