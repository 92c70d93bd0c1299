"""A step happens wholly or not at all: each event is applied whole, or in those parts that can be (ADR 0012)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.bulk import Bulk
from central.core.incident import EPOCH
from central.core.intake import Intake
from central.core.journal import ActionEntry, FrameEntry
from central.core.rejections import Rejections
from central.core.set_aside import INTERNAL_ERROR, NOT_DONE, WRITTEN_ONLY, Problem, parts_of, sender_of
from central.core.timing import Timing
from central.core.undo import Machine, Step
from central.core.view import Done, Refused
from wire.ids import FrameId, NodeId, node_text

T = TypeVar("T")
UNSHOWN_TICKS_MAX: Final = 10
"""A page that is told nothing stands still and looks live. Then it is better to end, and to begin without what the
rules fail on: while nothing can be shown, no alert gets its receipt either."""


class InFlight(Struct, frozen=True):
    """People's acts and central's own findings, on their way to disk.

    Attributes:
        entries: those not committed yet.
        request: waits for the last of them.
        bulk: the act for many that they belong to.
        rest: what that act has left to do after these.
        is_begun: some of them are committed and applied.
        problem: why others were not.
        is_refused: the disk refused some.
    """

    entries: tuple[ActionEntry, ...]
    request: int | None = None
    bulk: Bulk | None = None
    rest: Bulk | None = None
    is_begun: bool = False
    problem: Problem | None = None
    is_refused: bool = False

    @property
    def told(self) -> str:
        """What whoever waits for it is told of the problem; empty: there is none."""
        if self.problem is None:
            return ""
        return self.problem.of_some if self.is_begun else self.problem.of_all


class Steps(Machine, ABC):
    """Base of the machine: what is done with any event, and what is on its way to disk meanwhile."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._now_at = EPOCH
        self._effects: list[do.Effect] = []
        self._intake = Intake(timing)
        self._rejections = Rejections()
        # On its way to disk, with the request that asked for it.
        self._in_flight: InFlight | None = None
        # In a row, in which nothing could be told to the page.
        self._unshown_ticks = 0

    @abstractmethod
    def _follow(self, event: ev.Event) -> None:
        """Apply the event. May raise: then none of it is done."""

    @abstractmethod
    def _show_change(self, *, with_rejections: bool = False) -> None:
        """Tell the page what has changed."""

    @abstractmethod
    def _land(self, flight: InFlight) -> None:
        """The last of it is on disk, or never will be."""

    def _take(self, event: ev.Event) -> None:
        error = self._whole(partial(self._follow, event))
        if error is None:
            if isinstance(event, ev.Ticked):
                self._unshown_ticks = 0
            return
        parts = parts_of(event)
        for part in parts:
            self._take(part)
        if not parts:
            self._set_aside(event, error)
            self._show_what_can_be(is_tick=isinstance(event, ev.Ticked))

    def _show_what_can_be(self, *, is_tick: bool = False) -> None:
        # What fails may be the tick itself, which shows rejections.
        error = self._whole(partial(self._show_change, with_rejections=is_tick))
        if is_tick:
            self._unshown_ticks = 0 if error is None else self._unshown_ticks + 1
        if error is not None and self._unshown_ticks >= UNSHOWN_TICKS_MAX:
            raise error

    def _whole(self, part: Callable[[], object]) -> Exception | None:
        """Do all of ``part``, or none of it; returns the error, if any."""
        ordered = len(self._effects)
        try:
            with Step():
                part()
        except Exception as error:  # noqa: BLE001 - our bug, of any kind: alerts go on
            del self._effects[ordered:]
            return error
        return None

    def _spared(self, part: Callable[[], T], what: object, sender: NodeId) -> T | None:
        """What ``part`` returns, or ``None`` if it alone fails: the step goes on without it, and people are told."""
        given: list[T] = []
        error = self._whole(lambda: given.append(part()))
        if error is None:
            return given[0]
        self._set_aside(what, error, sender)
        return None

    def _set_aside(self, what: object, error: Exception, sender: NodeId | None = None) -> None:
        """Leave it out: nobody waits for it any longer, and people are told."""
        match what:
            case ev.FramesCommitted(ids) | ev.CommitFailed(ids):
                self._give_up(ids)
            case ev.FramesKnown(frames):
                self._give_up(tuple(frame.id for frame in frames))
            case FrameEntry():
                # With a receipt its shop would read RECEIVED, and nobody has a card.
                self._intake.forget_unapplied(what)
            case _:
                pass
        match what:
            case ev.ActionRequested(request):
                self._answer(request, Refused(NOT_DONE))
            case ev.ActionCommitted(entry):
                self._forget_in_flight((entry,), Problem(WRITTEN_ONLY))
            case ev.CommitFailed(_, entries):
                self._forget_in_flight(entries, Problem(NOT_DONE))
            case ev.PeopleChanged() | ev.PremisesChanged() | ev.RotaChanged():
                # Names, addresses and phone numbers of a whole town do not belong in a file for engineers.
                what = type(what).__name__
            case _:
                pass
        sender = sender or sender_of(what)
        if self._reject(INTERNAL_ERROR, node_text(sender) if sender else ""):
            self._effects.append(do.SetAside(what, error))

    def _give_up(self, ids: tuple[FrameId, ...]) -> None:
        # Without a receipt each comes again and is tried again, even if the disk has it.
        for frame_id in ids:
            self._intake.refuse(frame_id)

    def _forget_in_flight(self, entries: tuple[int, ...], problem: Problem) -> None:
        flight = self._in_flight
        numbers = set(entries)
        left = () if flight is None else tuple(entry for entry in flight.entries if entry.entry not in numbers)
        if flight is not None and left != flight.entries:
            before, is_refused = flight.problem, flight.is_refused or problem.is_of_disk
            if before is not None and before.of_all == WRITTEN_ONLY:
                problem = before  # Where something is on disk, "nothing was changed" is never true again.
            flight = replace(flight, entries=left, problem=problem, is_refused=is_refused)
            self._in_flight = flight if left else None
            if not left:
                self._land(flight)

    def _reject(self, reason: str, sender: str) -> bool:
        """Count it; returns whether it is reported, too: a flood is not."""
        is_told = self._rejections.add(reason, sender, self._now_at)
        if is_told:
            self._effects.append(do.ReportFact("rejected", None, (("reason", reason), ("sender", sender))))
        return is_told

    def _answer(self, request: int | None, result: Done | Refused) -> None:
        if request is not None:
            self._effects.append(do.AnswerAction(request, result))
