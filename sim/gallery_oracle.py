"""What must hold of a gallery, whatever happens to its clocks, its power and its network.

The oracle knows the truth: the time, what the office has issued, what the node was told, and what reached its disk. It
shares no code with the core's rules.

===  ======================================================================================================
J1   No face is shown after its last day, nor before its first. (G6)
J2   No face is shown once its withdrawal is known: in this run, or on the disk. (G6)
J3   No face of a scheme is shown once it is known that the premises is not in it, or not among the listed. (G4)
J4   No face is shown longer after the office's last word than the lease; hours on and boots count. (G6)
J5   The office is told a number only when no older key is left beside it; complete, if all is there. (G4, G6)
J6   No face is shown without its record on the disk; records make one chain across boots. (G7)
J7   No face that may be shown is missing, unless a reason is given that is true. (G5)
J8   No guess is compared before the wait after the earlier ones is over; a boot shortens none. (G5)
J9   No key is destroyed that is still needed. (G5)
J10  The times in the log never run back by more than a boot costs, but by the word of office or central. (G6)
J11  A report that the page was told is kept is on the disk until the office has it. (G9)
===  ======================================================================================================

J1 knows two exceptions, both documented limits (docs/gallery.md): a battery clock that was set back by less than the
time since the last moment that the node knows of; and a scheme that lets its gallery be shown without proof.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.holdings import Key, Line
from gallery.core.readable import Why
from sim.broken import BrokenInvariantError
from sim.gallery_node import ORIGIN, GalleryDisk, Shown
from sim.gallery_office import SimOffice
from wire.gallery_lines import GalleryError
from wire.gallery_views import read_views

SLACK_S: Final = 120
"""Clocks that are right differ by so much at most, those with drift."""
WRONG_S: Final = 240
"""Less than the core allows: a clock that is off by more may be called wrong."""
TEN_MINUTES_S: Final = 600
_WAITS_S: Final = (0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600)
"""Before the next guess, by how many were wrong."""


class Known(Struct):
    """What the node knows of a scheme's gallery.

    Attributes:
        lines: of the newest answer that it can have kept, by case; ``number`` is its.
        floor: the newest number that it ever had.
        elsewhere: cases that are not for its premises.
        is_allowed: whether it may hold them.
        is_unproven_shown: the scheme shows without proof.
        has_lost: a row on the disk was spoilt, and has not come again.
    """

    lines: dict[int, Line] = field(default_factory=dict)
    number: int = 0
    floor: int = 0
    elsewhere: frozenset[int] = frozenset()
    unopened: frozenset[int] = frozenset()
    is_allowed: bool = True
    is_unproven_shown: bool = False
    has_lost: bool = False


class GalleryOracle:
    """Watches one node.

    Attributes:
        true_s: the time. The campaign moves it.
        can_be_fooled: its battery clock is set to what looks right.
        is_time_proven, is_time_signed: somebody told the time in this boot, or office or central did.
        was_refused: the disk refused something in this boot.
        checked: how many looks were judged; ``hidden`` of them found a face hidden, for a true reason.
    """

    def __init__(self, office: SimOffice, disk: GalleryDisk, *, true_s: int, can_be_fooled: bool) -> None:
        self.true_s = true_s
        self.can_be_fooled = can_be_fooled
        self.checked = 0
        self.hidden = 0
        self.known: dict[int, Known] = {}
        self._office = office
        self._disk = disk
        self._history: dict[tuple[int, int], frozenset[Key]] = {}
        self.is_time_proven = False
        self.is_time_signed = False
        self._is_battery_wrong = self._is_wrong_on_disk = False
        self._answered_s: int | None = None
        self._kept_answer_s: int | None = None
        self._lease_s = 0
        self._boots_since = 0
        self.was_refused = False
        self._on_since_s = true_s
        self._shown_on_s = 0
        self._shown_in_boot_s = 0
        self._shown: dict[Key, int] = {}
        self._guesses: dict[int, tuple[int, int]] = {}
        self._latest_view_s = 0
        self._reported: set[str] = set()

    # What happens

    def booted(self) -> None:
        """A boot: only what is on the disk is known any more."""
        self.known = {
            scheme: Known(
                {line.case: line for line in kept.lines},
                kept.title.number,
                kept.title.floor,
                kept.elsewhere,
                is_allowed=kept.title.is_allowed,
                is_unproven_shown=kept.title.shows_without_proof,
            )
            for scheme, kept in self._disk.galleries.items()
        }
        for scheme, known in self.known.items():
            # A line whose key was destroyed first is known to be gone, though the older lines still stand.
            keys = self._disk.galleries[scheme].keys
            known.lines = {case: line for case, line in known.lines.items() if line.key in keys}
        self.is_time_proven = self.is_time_signed = False
        self._answered_s, self._is_battery_wrong = self._kept_answer_s, self._is_wrong_on_disk
        self._boots_since += 1
        self._shown_on_s += self._shown_in_boot_s
        self._shown_in_boot_s, self._on_since_s = 0, self.true_s
        self.was_refused = self._disk.is_refusing

    def issued(self, scheme: int) -> None:
        """The office has a new number."""
        book = self._office.books[scheme]
        self._history[scheme, book.number] = frozenset(
            line.key for line in book.lines.values() if line.case not in book.elsewhere
        )

    def answered(self, answer: ev.OfficeAnswered, *, is_late: bool) -> None:
        """The node is about to be given this answer, as the office gave it."""
        told = {one.scheme: one for one in answer.schemes}
        for scheme, known in self.known.items():
            if scheme not in told:
                known.is_allowed, known.lines, known.number = False, {}, 0
        for scheme, one in told.items():
            known = self.known.setdefault(scheme, Known())
            known.is_allowed, known.is_unproven_shown = True, one.shows_without_proof
        for gallery in answer.galleries:
            known, book = self.known[gallery.scheme], self._office.books[gallery.scheme]
            known.lines = {line.case: line for line in gallery.lines}
            known.number = known.floor = gallery.number
            known.has_lost = False
            known.elsewhere, known.unopened = frozenset(book.elsewhere), frozenset(book.unopened)
        self._answered_s, self._lease_s = self.true_s, answer.lease_until_s - answer.now_s
        self._boots_since = self._shown_on_s = self._shown_in_boot_s = 0
        self._on_since_s = self.true_s
        if not is_late:
            self.is_time_proven = self.is_time_signed = True
            self._is_battery_wrong, self._latest_view_s = False, 0

    def told_time(self, at_s: int, *, is_proof: bool) -> None:
        """A battery clock, central, or a frame; a frame is no proof."""
        if abs(at_s - self.true_s) > WRONG_S and (is_proof or at_s > self.true_s):
            self._is_battery_wrong = True
        elif is_proof:
            self.is_time_proven = True

    def central_told(self) -> None:
        """Central's time, which is right here."""
        self.is_time_proven = self.is_time_signed = True
        self._latest_view_s = 0

    def refusing(self) -> None:
        """The disk refuses from now on."""
        self.was_refused = True

    def wrote(self, effect: do.Effect) -> None:
        """This is on the disk."""
        match effect:
            case do.KeepLedger(_, ledger):
                self._is_wrong_on_disk = self._is_battery_wrong
                if ledger.lease.charged_s == 0:
                    self._kept_answer_s = self._answered_s
            case do.DestroyKeys(_, scheme, keys):
                for key in keys:
                    self._judge_destroyed(scheme, key)

    def ordered(self, effects: tuple[do.Effect, ...]) -> None:
        """The core's orders, before they are carried out."""
        for effect in effects:
            if isinstance(effect, do.CheckSecret) and not effect.is_start_code:
                self._judge_guess(effect.person)
            elif isinstance(effect, do.AskOffice):
                self._judge_question(effect)
            elif isinstance(effect, do.AnswerReport) and effect.why is None:
                self._reported.add(effect.request)
                self._judge_reports(self._office.reports | {row.report.id for row in self._disk.book.rows})

    def was_right(self, person: int) -> None:
        """A guess was right."""
        self._guesses.pop(person, None)

    # What must hold

    def judge_shown(self, shown: Shown) -> None:
        """A picture is on the page."""
        known = self.known.get(shown.scheme, Known(is_allowed=False))
        line = known.lines.get(shown.case)
        name = f"case {shown.case} of scheme {shown.scheme} at {self.true_s}"
        if not known.is_allowed or shown.case in known.elsewhere:
            raise BrokenInvariantError(f"J3: {name} is of a scheme or for premises that are not ours")
        if line is None:
            raise BrokenInvariantError(f"J2: {name} was withdrawn")
        is_sure = self.is_time_proven or not known.is_unproven_shown
        if is_sure and not self.can_be_fooled:
            if self.true_s >= line.not_after_s + SLACK_S:
                raise BrokenInvariantError(f"J1: {name} was over at {line.not_after_s}")
            if self.true_s < line.not_before_s - SLACK_S:
                raise BrokenInvariantError(f"J1: {name} begins at {line.not_before_s}")
            if self._answered_s is None or self.true_s >= self._answered_s + self._lease_s + SLACK_S:
                raise BrokenInvariantError(f"J4: {name}, answered at {self._answered_s}, lease {self._lease_s}")
        self._shown_in_boot_s = self.true_s - self._on_since_s
        if self._shown_on_s + self._shown_in_boot_s > self._lease_s + TEN_MINUTES_S + SLACK_S:
            raise BrokenInvariantError(f"J4: {name}, after {self._shown_on_s} s on in {self._boots_since} boots")
        self._judge_log(shown, name)

    def _judge_log(self, shown: Shown, name: str) -> None:
        key = shown.scheme, shown.case
        self._shown[key] = self._shown.get(key, 0) + 1
        views = [view.record for view in self._disk.views if (view.record.scheme, view.record.case) == key]
        if len(views) < self._shown[key]:
            raise BrokenInvariantError(f"J6: {name} was shown {self._shown[key]} times, logged {len(views)}")
        if shown.at_s < self._latest_view_s - TEN_MINUTES_S - 1:
            raise BrokenInvariantError(f"J10: {name} at {shown.at_s}, after {self._latest_view_s}")
        self._latest_view_s = max(self._latest_view_s, shown.at_s)

    def judge_sight(self, scheme: int, case: int, why: Why | None) -> None:
        """Why the node does not let this case be read."""
        known = self.known.get(scheme)
        line = None if known is None else known.lines.get(case)
        self.checked += 1
        if why is None or known is None or line is None or not known.is_allowed:
            return
        self.hidden += 1
        if not self._is_true(why, known, line):
            raise BrokenInvariantError(f"J7: case {case} of scheme {scheme} at {self.true_s} is hidden: {why}")

    def _is_true(self, why: Why, known: Known, line: Line) -> bool:
        """Whether that is so, by what the oracle knows."""
        is_over = self.true_s >= line.not_after_s - SLACK_S
        is_early = self.true_s < line.not_before_s + SLACK_S
        is_clock_odd = self._is_battery_wrong or self.can_be_fooled
        truths = {
            Why.STARTING: self.was_refused,
            Why.ON_ITS_WAY: self.was_refused or known.has_lost,
            Why.CLOCK_UNKNOWN: not known.is_unproven_shown and (not self.is_time_proven or self._is_battery_wrong),
            Why.CLOCK_BEHIND: is_clock_odd,
            Why.NO_CONTACT: is_clock_odd or self._is_lease_used_up(),
            Why.OVER: is_over,
            Why.OVER_UNPROVEN: is_over or is_clock_odd,
            Why.NOT_YET: is_early or not self.is_time_signed,
            Why.ELSEWHERE: line.case in known.elsewhere,
            Why.UNOPENED: line.case in known.unopened,
        }
        return truths.get(why, False)

    def _is_lease_used_up(self) -> bool:
        if self._answered_s is None:
            return True
        charged_s = TEN_MINUTES_S * (self._boots_since + 1)
        return self.true_s >= self._answered_s + self._lease_s - charged_s - SLACK_S

    def _judge_destroyed(self, scheme: int, key: Key) -> None:
        known = self.known.get(scheme)
        line = None if known is None else known.lines.get(key[0])
        if known is None or line is None or line.key != key or key[0] in known.elsewhere:
            return
        if self.true_s < line.not_after_s - SLACK_S:
            raise BrokenInvariantError(f"J9: key {key} of scheme {scheme} was needed until {line.not_after_s}")

    def _judge_question(self, question: do.AskOffice) -> None:
        for held in question.held:
            if not held.number:
                continue
            should = self._history[held.scheme, held.number]
            old = {key for key in self._disk.galleries[held.scheme].keys if key[1] <= held.number} - should
            if old:
                raise BrokenInvariantError(f"J5: number {held.number} is held, and {sorted(old)} as well")
            if held.is_complete and self.known[held.scheme].number == held.number:
                self._judge_complete(held)

    def _judge_complete(self, held: do.Held) -> None:
        known = self.known[held.scheme]
        for line in known.lines.values():
            if line.case in known.elsewhere or self.true_s >= line.not_after_s - SLACK_S:
                continue
            if line.key not in self._disk.galleries[held.scheme].keys:
                raise BrokenInvariantError(f"J5: number {held.number} is complete without the key of {line.case}")
            if not self._disk.photographs.issuperset(line.photographs):
                raise BrokenInvariantError(f"J5: number {held.number} is complete without {line.photographs}")

    def _judge_guess(self, person: int) -> None:
        wrong, last_s = self._guesses.get(person, (0, 0))
        wait_s = _WAITS_S[min(wrong, len(_WAITS_S) - 1)]
        if self.true_s - last_s < wait_s - 1:
            raise BrokenInvariantError(f"J8: guess {wrong + 1} is compared {self.true_s - last_s} s after the last")
        self._guesses[person] = wrong + 1, self.true_s

    def _judge_reports(self, had: set[str]) -> None:
        lost = self._reported - had
        if lost:
            raise BrokenInvariantError(f"J11: reports {sorted(lost)} are lost, and the page said that they are kept")

    def judge_end(self) -> None:
        """After a last contact with everything working: exactly what is needed is there, and the log is one chain."""
        needed: set[str] = set()
        for scheme, kept in self._disk.galleries.items():
            book = self._office.books[scheme]
            is_allowed = scheme in self._office.allowed
            lines = [
                line
                for line in (book.lines.values() if is_allowed else ())
                if line.case not in book.elsewhere and self.true_s < line.not_after_s
            ]
            if kept.keys != {line.key for line in lines}:
                raise BrokenInvariantError(f"J5: keys {sorted(kept.keys)} at the end of scheme {scheme}")
            needed.update(digest for line in lines for digest in line.photographs)
        if self._disk.photographs != needed:
            raise BrokenInvariantError(f"J5: photographs {sorted(self._disk.photographs ^ needed)} at the end")
        self._judge_reports(self._office.reports)
        views = self._disk.views
        if views and views[0].record.before != ORIGIN.digest:
            raise BrokenInvariantError("J6: the log does not begin with this node")
        try:
            for first in range(0, len(views), 400):
                read_views(b"".join(b"%b\n" % view.data for view in views[max(0, first - 1) : first + 400]))
        except GalleryError as e:
            raise BrokenInvariantError(f"J6: {e}") from e
