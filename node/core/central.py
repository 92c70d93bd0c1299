"""The node's knowledge of central and of its link to it. No rules here."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.core.effects import Scale
from node.core.table import PathPhase

TAKEN_TOLD_MS: Final = 600_000
"""A takeover of our session is reported for this long after the last one."""


class Beat(Struct, frozen=True):
    """Central's last heartbeat on this connection.

    Attributes:
        at_ms: Unix time in it, by central's clock.
        heard_ms: when it came.
        is_live: central's clock has advanced with ours since the previous one.
    """

    at_ms: int
    heard_ms: int
    is_live: bool


class Question(Struct, frozen=True):
    """A sync of ours whose answer may still come.

    Attributes:
        nonce: repeated in the answer.
        asked_ms: when it was sent.
        is_listing: it lists every frame for which we hold a receipt.
    """

    nonce: str
    asked_ms: int
    is_listing: bool = False


class Taken(Struct, frozen=True):
    """When another program last took our session, and since when this is known to be continuing."""

    last_ms: int
    known_ms: int | None

    @property
    def told_until_ms(self) -> int | None:
        """Until when it is reported; ``None`` = not known."""
        return None if self.known_ms is None else self.last_ms + TAKEN_TOLD_MS

    def known_since_ms(self, at_ms: int) -> int | None:
        """Since when it was known, as of ``at_ms``; ``None`` = it was not."""
        if self.known_ms is None or not self.known_ms <= at_ms < self.last_ms + TAKEN_TOLD_MS:
            return None
        return self.known_ms


class Central(Struct):
    """What is known about central. :mod:`node.core.link.proof` says what counts as proof.

    Attributes:
        heard_ms: its last status or answer on this connection.
        proven_ms: its last answer to a question of ours; ``None`` = none on this connection.
        brought_ms: when the broker last brought anything of central's with QoS 1: a late answer or a state, too.
        sequence: of the last status or answer of this run.
        revision: states up to this one are covered by its last answer.
        answered_at_s: Unix time by its clock of its last answer; 0 = none.
        questions: ours, oldest first. asked_count: in this run of ours. unanswered: since its last answer.
        boot_id: of its present run, empty = never heard.
        on_duty: roles as central names them; ``None`` = not known.
        scales: its time, as its runs told it, the present one first (:mod:`node.core.scales`).
        sync_sent_ms: when we last asked.
        taken: another program took our session; ``None`` = never in this run. See :mod:`node.core.link.identity`.
        beat: its last heartbeat on this connection.
        run_at_s: Unix time by its clock of this run's first answer; 0 = none.
        listed_to: boot id of the run that was told every receipt we hold, and lacks none; empty = none.
        listings: lists of receipts that went out since central answered one. listing_ms: when the last one did.
        highest_counter, highest_revision: of its frames, of its states of incidents, over all of its runs.
        told_counter: the highest of its frames that earlier runs of ours heard.
        speaks: newer features that it understands, by its last signed answer; ``None`` = not known.
    """

    path: PathPhase = PathPhase.DOWN
    is_refused: bool = False
    heard_ms: int = 0
    boot_id: str = ""
    on_duty: tuple[str, ...] | None = None
    scales: tuple[Scale, ...] = ()
    sync_sent_ms: int | None = None
    taken: Taken | None = None
    proven_ms: int | None = None
    brought_ms: int = 0
    sequence: int = 0
    revision: int = 0
    answered_at_s: int = 0
    questions: tuple[Question, ...] = ()
    asked_count: int = 0
    unanswered: int = 0
    beat: Beat | None = None
    run_at_s: int = 0
    listed_to: str = ""
    listings: int = 0
    listing_ms: int = 0
    highest_counter: int = 0
    highest_revision: int = 0
    told_counter: int = 0
    speaks: tuple[str, ...] | None = None

    @property
    def is_linked(self) -> bool:
        """Whether we are connected to a broker."""
        return self.path is not PathPhase.DOWN

    def duplicate_since_ms(self, at_ms: int) -> int | None:
        """Since when another unit was known to have our identity, as of ``at_ms``; ``None`` = it was not."""
        return None if self.taken is None else self.taken.known_since_ms(at_ms)
