"""Our questions to central (N13): syncs, and with them, once per run of central, every receipt that we hold.

The list is long: thousands of receipts, in many parts. It goes with the first question of a connection, and twice more.
After that a central that does not answer is asked without it, and gets it once it answers. A central that answers all
but the list gets it less and less often; a disk that cannot read the list is asked less and less often too.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from msgspec.structs import replace

from node.core import delivery
from node.core.central import Question
from node.core.effects import PublishSync
from node.core.events import FramesReopened
from node.core.link import proof, receipts
from node.core.press import drafts
from node.core.state import Row
from node.core.turn import Turn
from wire.answers import frame_digest
from wire.frames import PathTest
from wire.lateness import ANSWER_WITHIN_MS
from wire.messages import PendingFrame, ReceiptedFrame, Sync, SyncAnswer

PENDING_MAX: Final = 128
LISTINGS_AT_ONCE: Final = 3
_LIST_AGAIN_DOUBLINGS_MAX: Final = 9
_WHOLE_SECOND_MS: Final = 1_000


def sync(turn: Turn, *, is_new_run: bool = False) -> None:
    """Ask central for what we may have missed, and report what waits here and for how long.

    A run of central that may be new is also told what earlier runs have receipted; or, if it did not answer the list,
    once it is known to answer.
    """
    state, central = turn.state, turn.state.central
    is_wanted = is_new_run or central.proven_ms is None or central.listed_to != central.boot_id
    is_listing = is_wanted and _may_list(turn)
    if is_listing:
        turn.state.central.listings = central.listings + 1
        turn.state.central.listing_ms = turn.now_ms
    pending = []
    # Frames with a time of their own come after those whose age nobody else could tell.
    chosen = islice(sorted(state.outbox.rows.oldest(), key=lambda row: row[1].signed.frame.at_s > 0), PENDING_MAX)
    for counter, row in sorted(chosen, key=lambda row: row[0]):
        if isinstance(row.signed.frame, PathTest):
            continue  # Nobody waits for it, and it never comes this way.
        age_ms = _age_ms(turn, row)
        if age_ms is not None:
            pending.append(PendingFrame(counter=counter, age_ms=age_ms))
    turn.order(
        PublishSync(
            Sync(
                boot_id=state.boot_id,
                directory_serial=state.directory.serial,
                last_counter=state.last_counter,
                pending=tuple(pending),
                nonce=proof.ask(turn, is_listing=is_listing),
                central_counter=central.highest_counter,
                central_revision=central.highest_revision,
                receipted=_unsaved(turn) if is_listing else (),
            ),
            is_listing,
        )
    )


def _unsaved(turn: Turn) -> tuple[ReceiptedFrame, ...]:
    """Of the receipts that we hold, those that the disk's list lacks."""
    frames = (kept.signed for kept in drafts.receipted_unsaved(turn.state))
    return tuple(ReceiptedFrame(counter=one.frame.counter, digest=frame_digest(one.data).hex()) for one in frames)


def _age_ms(turn: Turn, row: Row) -> int | None:
    """How long ago it was pressed, at least; ``None`` = the frame's own time tells more than we know."""
    if row.pressed_ms is not None:
        return max(0, turn.now_ms - row.pressed_ms)
    # From an earlier boot of the machine. If it bears no time, nothing ever tells its age: never called live (N13).
    least_ms, late_ms = turn.now_ms - turn.state.started_ms, turn.timing.late_after_ms + _WHOLE_SECOND_MS
    return None if row.signed.frame.at_s and least_ms < late_ms else max(least_ms, late_ms)


def account(turn: Turn, answer: SyncAnswer, asked: Question) -> None:
    """Compare this run's receipts with ours: central may have been restored from an older copy."""
    missing = frozenset(answer.missing)
    unsaved = tuple(kept for kept in drafts.receipted_unsaved(turn.state) if kept.signed.frame.counter in missing)
    if missing:
        receipts.forgotten(turn, missing)
    elif asked.is_listing:
        turn.state.central.listed_to = answer.boot_id
    if asked.is_listing:
        turn.state.central.listings = 0
    elif turn.state.central.listed_to != answer.boot_id and _may_list(turn):
        sync(turn)
    if unsaved:  # No disk gives them back.
        frames_reopened(turn, FramesReopened(unsaved))


def frames_reopened(turn: Turn, event: FramesReopened) -> None:
    """Send central again what it lacks, after telling it how old that is."""
    receipts.reopened(turn, event.frames)
    sync(turn)
    if turn.state.central.is_linked:
        delivery.begin(turn)


def listing_refused(turn: Turn) -> None:
    """The disk refused: no open sync has listed anything."""
    central = turn.state.central
    turn.state.central.questions = tuple(replace(asked, is_listing=False) for asked in central.questions)


def _may_list(turn: Turn) -> bool:
    """Whether the list may go out now."""
    central = turn.state.central
    if central.unanswered >= LISTINGS_AT_ONCE:
        return False
    doublings = min(central.listings - LISTINGS_AT_ONCE, _LIST_AGAIN_DOUBLINGS_MAX)
    return doublings < 0 or turn.now_ms - central.listing_ms >= ANSWER_WITHIN_MS << doublings
