"""One gallery's life from a seed: clocks, power cuts, boots, contact and people at random; then everything heals."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.staff import StaffTold
from sim.broken import BrokenInvariantError
from sim.gallery_node import GalleryDisk, GalleryNode, PowerCutError
from sim.gallery_office import DAY_S, Book, SimOffice
from sim.gallery_oracle import GalleryOracle
from sim.gallery_plants import GalleryPlant, spoil_answer

BEGIN_S: Final = 1_800_000_000
HART: Final = 1
PUB_WATCH: Final = 2
SCHEMES: Final = (HART, PUB_WATCH)
ACTS: Final = 45
ALICE: Final = 7
PIN: Final = ev.Pin("271828")
CODE: Final = ev.Pin("999999")
IN_2040: Final = 2_208_988_800
HOUR_S: Final = 3_600
LONGEST_PAUSE_S: Final = 180
"""Until the office is asked again."""
BOOT_MS: Final = 5_000
"""Of the machine's own count, when the program starts."""


class GalleryResult(Struct, frozen=True):
    """The outcome of a run.

    Attributes:
        broken: the invariant that broke, and how; or empty.
        acts: what was done, if one broke.
        shown: faces that were shown.
        hidden: looks at which a face was hidden for a true reason.
        cuts, boots: how often the power went, and the machine booted.
        guesses: that were compared.
    """

    seed: int
    broken: str
    acts: tuple[str, ...]
    shown: int
    hidden: int
    cuts: int
    boots: int
    guesses: int


class _Life:
    """One node, its office, its hardware and its people."""

    def __init__(self, seed: int, plant: GalleryPlant | None) -> None:
        self.chance = random.Random(f"gallery {seed}")
        chance = self.chance
        self.is_fooled = seed % 4 == 3  # noqa: PLR2004 - an odd one
        self.has_battery = self.is_fooled or chance.random() < 0.6  # noqa: PLR2004 - most have one
        self.drift_s = chance.randint(-60, 60)
        self.battery_error_s = 0
        self.office = SimOffice()
        self.office.books = {scheme: Book() for scheme in SCHEMES}
        self.office.allowed = {HART}
        self.office.staff = (StaffTold(ALICE, "Alice", 1),)
        self.office.lease_s = 3 * HOUR_S if self.is_fooled else chance.choice((DAY_S, 14 * DAY_S))
        self.office.books[PUB_WATCH].shows_without_proof = seed % 8 == 5  # noqa: PLR2004 - an odd one
        self.plant = plant
        self.disk = GalleryDisk()
        self.node = GalleryNode(self.disk, plant)
        self.oracle = GalleryOracle(self.office, self.disk, true_s=BEGIN_S, can_be_fooled=self.is_fooled)
        self.node.codes = {ALICE: CODE.text}
        self.node.cut = self._cut
        self.node.after_write = self._wrote
        self.node.after_each = self._ordered
        self.has_network = True
        self.cut_at: int | None = None
        self.cases = 0
        self.sessions: list[str] = []
        self.attempts = self.reports = 0
        self.acts: list[str] = []
        self.cuts = self.shown = 0
        self.is_switched = False
        self.on_since_s = BEGIN_S
        self.old_answers: list[ev.OfficeAnswered] = []
        for scheme in SCHEMES:
            self.oracle.issued(scheme)

    # Hardware

    def _tell_time(self) -> None:
        """The true time, at a moment of the node's boot."""
        self.oracle.true_s = self.on_since_s + (self.node.now_ms - BOOT_MS) // 1000

    def _wrote(self, effect: do.Effect) -> None:
        self.oracle.wrote(effect)

    def _ordered(self, _event: ev.Event, effects: tuple[do.Effect, ...]) -> None:
        self._tell_time()
        self.oracle.ordered(effects)

    def _cut(self, _effect: do.Effect) -> None:
        if self.cut_at is not None:
            self.cut_at -= 1
            if self.cut_at < 0:
                self.cut_at = None
                raise PowerCutError

    def do(self, act: Callable[[], None]) -> None:
        """One act. If the power goes in the midst of it, the machine boots some time later."""
        self.acts.append(f"{self.oracle.true_s - BEGIN_S}: {act.__name__}")
        try:
            act()
        except PowerCutError:
            self.cuts += 1
            self.acts.append("    power cut")
            self._settle_shown()
            self._boot_after(self.chance.choice((0, 60, HOUR_S, DAY_S)))
        self._settle_shown()
        self._look_around()

    def _settle_shown(self) -> None:
        for shown in self.node.shown:
            self.shown += 1
            self.oracle.judge_shown(shown)
        self.node.shown.clear()
        for check in self.node.checks:
            if not check.is_start_code and check.secret == PIN:
                self.oracle.was_right(check.person)
        self.node.checks.clear()
        self.sessions = [name for name in self.sessions if name in self.node.state.sessions]

    def _boot_after(self, off_s: int) -> None:
        self.oracle.true_s += off_s
        self.on_since_s = self.oracle.true_s
        self.cut_at = None
        self.sessions.clear()
        self.oracle.booted()
        self.node.boot(now_ms=BOOT_MS)
        self.battery()

    def boot(self) -> None:
        """Switched off, for a while, and on."""
        self._boot_after(self.chance.choice((0, 5, 300, HOUR_S, DAY_S, 3 * DAY_S, 21 * DAY_S)))

    def restart(self) -> None:
        """The program starts again; the machine runs on."""
        self.sessions.clear()
        self.cut_at = None
        oracle = self.oracle
        # The proof goes on, if the disk has it.
        before = (oracle.is_time_proven and not oracle.was_refused, oracle.is_time_signed and not oracle.was_refused)
        oracle.booted()
        oracle.is_time_proven, oracle.is_time_signed = before
        self.node.boot(is_new=False)

    def arm_power_cut(self) -> None:
        """The power will go at one of the next writes, before or after it."""
        self.cut_at = self.chance.randint(0, 12)

    def refuse(self) -> None:
        """The disk refuses, or works again."""
        self.disk.is_refusing = not self.disk.is_refusing
        self.oracle.refusing()

    def spoil(self) -> None:
        """A row and a photograph on the disk are found spoilt."""
        rows = [(scheme, key) for scheme, kept in self.disk.galleries.items() for key in sorted(kept.keys)]
        if rows and self.node.state.is_started:
            scheme, key = self.chance.choice(rows)
            self.disk.galleries[scheme].keys.discard(key)
            self.oracle.known[scheme].has_lost = True
            self.node.happen(ev.KeysLost(scheme, frozenset({key})))
        photographs = sorted(self.disk.photographs)[:1]
        self.disk.photographs.difference_update(photographs)
        self.node.happen(ev.PhotographsFailed(frozenset(photographs), "spoilt"))

    # Time

    def wait(self) -> None:
        """Time passes."""
        durations_s = (1, 30, 300, 599, HOUR_S, 6 * HOUR_S, DAY_S)
        # A disk that refuses is asked twice a minute: a day of that takes long to play.
        self._wait(self.chance.choice(durations_s[:4] if self.disk.is_refusing else durations_s))

    def _wait(self, duration_s: int) -> None:
        try:
            self.node.wait(duration_s * 1000)
        finally:
            self._tell_time()

    def battery(self) -> None:
        """The battery clock is read, if there is one."""
        if not self.has_battery:
            return
        at_s = self.oracle.true_s + self.drift_s + self.battery_error_s
        if self.is_switched or (self.is_fooled and self.chance.random() < 0.5):  # noqa: PLR2004 - half of the time
            at_s = max(self.disk.ledger.floor_s, BEGIN_S - DAY_S)
        self.oracle.told_time(at_s, is_proof=True)
        self.node.happen(ev.BatteryRead(at_s))

    def set_battery(self) -> None:
        """Somebody, or a worn cell, sets it: to 1970, to 2040, back a year; or it is put right."""
        true_s = self.oracle.true_s
        errors_s = (0, 0, -true_s, IN_2040 - true_s, -365 * DAY_S, -365 * DAY_S, 2 * DAY_S)
        self.battery_error_s = self.chance.choice(errors_s)
        if self.battery_error_s > 0 and not self.has_battery:
            self.battery_error_s = 0

    def central(self) -> None:
        """The node has learnt central's time."""
        if self.has_network:
            self.oracle.central_told()
            self.node.happen(ev.CentralTimeTold(self.oracle.true_s + self.chance.randint(-2, 2)))

    def frame(self) -> None:
        """A frame is heard: of now, a recording, or of a stolen unit."""
        at_s = self.oracle.true_s - self.chance.choice((0, 2, HOUR_S, 5 * DAY_S, -2 * DAY_S))
        self.oracle.told_time(at_s, is_proof=False)
        self.node.happen(ev.FrameHeard(at_s))

    # The office

    def network(self) -> None:
        """The network comes or goes."""
        self.has_network = not self.has_network

    def contact(self) -> None:
        """The office answers; now and then so late that it proves no time."""
        if not self.has_network:
            self.node.asked = None
            self.node.happen(ev.OfficeFailed("no network"))
            return
        if self.node.asked is None:
            self._wait(LONGEST_PAUSE_S)
        asked = self.node.asked
        if asked is None:
            return
        self.node.happen(self.office.take(asked))
        is_late = self.chance.random() < 0.1  # noqa: PLR2004 - one in ten
        answer = self.office.answer(asked, self.node.now_ms, self.oracle.true_s, views_received=len(self.disk.views))
        self.old_answers.append(answer)
        if is_late:
            self._wait(self.chance.choice((61, HOUR_S)))
        self.oracle.answered(answer, is_late=is_late)
        self.node.asked = None
        self.node.happen(spoil_answer(self.plant, answer, frozenset(self.disk.galleries)))

    def replay(self) -> None:
        """An older gallery comes once more, in an answer that is otherwise good."""
        known = self.oracle.known
        told = [
            gallery
            for old in self.old_answers
            for gallery in old.galleries
            if gallery.scheme in known and gallery.number < known[gallery.scheme].floor
        ]
        if not told or self.node.asked is None or not self.has_network:
            return
        answer = self.office.answer(self.node.asked, self.node.now_ms, self.oracle.true_s)
        self.oracle.answered(replace(answer, galleries=()), is_late=False)
        replayed = replace(answer, galleries=(self.chance.choice(told),))
        self.node.happen(spoil_answer(self.plant, replayed, frozenset(self.disk.galleries)))

    def issue(self) -> None:
        """Somebody is banned, for hours or weeks, from now or from tomorrow."""
        scheme, chance = self.chance.choice(SCHEMES), self.chance
        self.cases += 1
        begin_s = self.oracle.true_s + chance.choice((-DAY_S, -DAY_S, 0, DAY_S))
        length_s = chance.choice((HOUR_S, DAY_S, 3 * DAY_S, 30 * DAY_S))
        book = self.office.books[scheme]
        if chance.random() < 0.15:  # noqa: PLR2004 - some are for other premises
            book.elsewhere.add(self.cases)
        if chance.random() < 0.1:  # noqa: PLR2004 - some rows are spoilt
            book.unopened.add(self.cases)
        photographs = tuple(f"{size} {self.cases}" for size in ("small", "portrait")[: chance.randint(0, 2)])
        book.issue(self.cases, begin_s, max(begin_s, self.oracle.true_s) + length_s, photographs)
        self.oracle.issued(scheme)

    def withdraw(self) -> None:
        """A ban is lifted."""
        scheme = self.chance.choice(SCHEMES)
        book = self.office.books[scheme]
        if book.lines:
            book.withdraw(self.chance.choice(sorted(book.lines)))
            self.oracle.issued(scheme)

    def alter(self) -> None:
        """A ban is made longer or shorter, or for other premises."""
        scheme = self.chance.choice(SCHEMES)
        book = self.office.books[scheme]
        if not book.lines:
            return
        line = book.lines[self.chance.choice(sorted(book.lines))]
        if self.chance.random() < 0.3:  # noqa: PLR2004 - some
            book.elsewhere ^= {line.case}
        end_s = max(line.not_before_s, self.oracle.true_s) + self.chance.choice((HOUR_S, 10 * DAY_S))
        book.issue(line.case, line.not_before_s, end_s, line.photographs)
        self.oracle.issued(scheme)

    def move(self) -> None:
        """The premises joins or leaves a scheme."""
        self.office.allowed ^= {self.chance.choice(SCHEMES)}

    def fetch(self) -> None:
        """Photographs come, or some of them fail."""
        digests, self.node.fetched = frozenset(self.node.fetched), []
        if not digests:
            return
        if not self.has_network or self.chance.random() < 0.2:  # noqa: PLR2004 - some
            self.node.happen(ev.PhotographsFailed(digests, "cut"))
            return
        self.disk.photographs |= digests
        self.node.happen(ev.PhotographsStored(digests))

    # People

    def sign_in(self) -> None:
        """Alice signs in, with her start code at first."""
        self.attempts += 1
        name = f"attempt {self.attempts}"
        row = self.node.state.staff.get(ALICE)
        if row is not None and row.has_code:
            self.node.happen(ev.SignInAsked(name, ALICE, CODE, is_start_code=True))
            self.node.happen(ev.PinChosen(name, PIN))
        else:
            self.node.happen(ev.SignInAsked(name, ALICE, PIN))
        if name in self.node.state.sessions:
            self.sessions.append(name)

    def guess(self) -> None:
        """Somebody guesses, and pulls the plug to guess on."""
        for _ in range(self.chance.randint(1, 8)):
            self.attempts += 1
            self.node.happen(ev.SignInAsked(f"attempt {self.attempts}", ALICE, ev.Pin("314159")))

    def look(self) -> None:
        """Alice looks at a few whom she knows of, one of whom may be gone, and reports the last."""
        if not self.sessions:
            self.sign_in()
        cases = [(scheme, case) for scheme in SCHEMES for case in self.office.books[scheme].lines]
        cases += [(scheme, case) for scheme, known in self.oracle.known.items() for case in known.lines]
        cases.append((self.chance.choice(SCHEMES), self.chance.randint(1, self.cases + 1)))
        for session in self.sessions[-1:]:
            self.node.happen(ev.SessionUsed(session))
            for scheme, case in self.chance.choices(cases, k=4):
                self.node.happen(ev.ViewAsked(f"of {case}", session, scheme, case, "person"))
            self.reports += 1
            name = f"{self.reports:032x}"
            self.node.happen(ev.ReportAsked(name, session, scheme, case, "HART-0042", "breach", "no", name))

    def _look_around(self) -> None:
        for scheme, known in self.oracle.known.items():
            for case in tuple(known.lines):
                self.oracle.judge_sight(scheme, case, self.node.why(scheme, case))

    # The whole life

    def live(self) -> None:
        """Everything at random, then everything heals."""
        often = (self.wait, self.contact, self.issue, self.look, self.look, self.boot)
        now_and_then = (self.fetch, self.arm_power_cut, self.withdraw, self.alter, self.battery, self.set_battery)
        seldom = (self.move, self.network, self.central, self.frame, self.refuse, self.guess, self.replay)
        acts: tuple[Callable[[], None], ...] = (*often * 4, *now_and_then * 2, *seldom, self.restart, self.spoil)
        self.node.boot(now_ms=BOOT_MS)
        for act in (self.battery, self.contact, self.issue, self.issue, self.contact, self.fetch, self.look):
            self.do(act)
        if self.is_fooled:
            self._switch_off_and_on()
        for _ in range(ACTS):
            self.do(self.chance.choice(acts))
        self._heal()

    def _switch_off_and_on(self) -> None:
        """Nine minutes on, then off: again and again, with the clock set back each time."""
        self.has_network, self.is_switched = False, True
        for _ in range(self.chance.choice((5, 40))):
            self.do(self.nine_minutes)
        self.has_network, self.is_switched = True, False

    def nine_minutes(self) -> None:
        """One of these boots."""
        self._boot_after(self.chance.choice((0, HOUR_S)))
        self._wait(539)
        self.look()

    def _heal(self) -> None:
        self.cut_at = None
        self.has_network = True
        self.disk.is_refusing = False
        self._wait(31)
        for scheme, book in self.office.books.items():
            for line in [book.lines[case] for case in book.unopened & book.lines.keys()]:
                book.issue(line.case, line.not_before_s, line.not_after_s, line.photographs)
            book.unopened.clear()
            self.oracle.issued(scheme)
        for _ in range(4):
            if self.node.asked is None:
                self._wait(300)
            self._answer_and_fetch()
        self._settle_shown()
        self.oracle.judge_end()
        self._look_around()

    def _answer_and_fetch(self) -> None:
        asked = self.node.asked
        if asked is not None:
            self.node.happen(self.office.take(asked))
            logged = len(self.disk.views)
            answer = self.office.answer(asked, self.node.now_ms, self.oracle.true_s, views_received=logged)
            self.oracle.answered(answer, is_late=False)
            self.node.happen(spoil_answer(self.plant, answer, frozenset(self.disk.galleries)))
        digests, self.node.fetched = frozenset(self.node.fetched), []
        self.disk.photographs |= digests
        self.node.happen(ev.PhotographsStored(digests))


def live(seed: int, plant: GalleryPlant | None = None) -> GalleryResult:
    """Play one life."""
    life = _Life(seed, plant)
    broken = ""
    try:
        life.live()
    except BrokenInvariantError as e:
        broken = str(e)
    except Exception as e:  # noqa: BLE001 - a core that raises is a finding like any other, with its seed
        broken = f"raised {type(e).__name__}: {e}"
    return GalleryResult(
        seed=seed,
        broken=broken,
        acts=tuple(life.acts) if broken else (),
        shown=life.shown,
        hidden=life.oracle.hidden,
        cuts=life.cuts,
        boots=life.node.boots,
        guesses=life.attempts,
    )
