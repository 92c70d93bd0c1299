"""Proof that central is there now (N11), and that its messages are current.

A hostile broker cannot invent anything signed, but can keep, repeat and withhold what central once signed. So a
signature alone proves nothing:

- A sync has a nonce that was never used. Its answer, within :data:`~wire.lateness.ANSWER_WITHIN_MS`, is current: it
  proves the path, establishes central's run, and only it may raise our counter.
- The proof is valid for :data:`PROVES_FOR_MS`; we ask again well before it ends.
- A status of another run than the established one is a hint to ask. Within a run only a higher sequence counts.
- A state of an incident counts while the path is proven, if it is newer than the last answer. The closing of another
  member's incident always counts.

With a central of an old version (the directory does not say that it signs) statuses prove the path, as they always
did, and its states change nothing.
"""

from __future__ import annotations

import hashlib
from typing import Final

from node.core.central import Question
from node.core.state import NodeState
from node.core.table import PathPhase
from node.core.turn import Turn
from wire.ids import CENTRAL
from wire.lateness import ANSWER_WITHIN_MS
from wire.messages import IncidentState, SyncAnswer

ASK_EVERY_MS: Final = 40_000
_SPREAD_MS: Final = 5_000
"""Spread, so that a town does not ask all at once."""
PROVES_FOR_MS: Final = 65_000
"""The path must be proven once in 60 s; 5 s more for the answer."""
_RETRY_DOUBLINGS_MAX: Final = 3
_QUESTIONS_MAX: Final = 4


def is_strict(state: NodeState) -> bool:
    """Whether central signs, so that only signed messages count."""
    central = state.directory.senders.get(CENTRAL)
    return central is not None and central.signs


def ask(turn: Turn, *, is_listing: bool = False) -> str:
    """Note a new question and return its nonce; ``is_listing``: it lists our receipts."""
    central = turn.state.central
    number = central.asked_count + 1
    nonce = hashlib.sha256(turn.state.secret + number.to_bytes(8, "big")).hexdigest()[:32]
    turn.state.central.questions = (*central.questions, Question(nonce, turn.now_ms, is_listing))[-_QUESTIONS_MAX:]
    turn.state.central.asked_count = number
    turn.state.central.unanswered = central.unanswered + 1
    turn.state.central.sync_sent_ms = turn.now_ms
    return nonce


def question_of(turn: Turn, answer: SyncAnswer) -> Question | None:
    """Our question that it answers in time, removed from the open ones; ``None`` = none."""
    asked = next((q for q in turn.state.central.questions if answer.nonce and q.nonce == answer.nonce), None)
    if asked is None or turn.now_ms - asked.asked_ms > ANSWER_WITHIN_MS:
        return None
    turn.state.central.questions = tuple(q for q in turn.state.central.questions if q.nonce != asked.nonce)
    return asked


def is_state_new(state: NodeState, said: IncidentState) -> bool:
    """Whether an unrequested signed state is newer than the last answer."""
    if is_strict(state) and state.central.path is not PathPhase.PROVEN:
        return False
    return said.revision > state.central.revision


def established(turn: Turn, answer: SyncAnswer) -> bool:
    """Central has answered our question; returns whether it is a new run."""
    central = turn.state.central
    is_new_run = answer.boot_id != central.boot_id
    # An answer says nothing about duty: what we heard before an outage is old.
    is_after_outage = turn.now_ms - central.heard_ms >= turn.timing.central_lost_ms
    turn.state.central.on_duty = None if is_after_outage else central.on_duty
    turn.state.central.boot_id = answer.boot_id
    turn.state.central.speaks = answer.speaks
    turn.state.central.sequence = answer.sequence if is_new_run else max(central.sequence, answer.sequence)
    # A run on another database may count from lower: its answer is the present truth.
    turn.state.central.revision = answer.revision if is_new_run else max(central.revision, answer.revision)
    turn.state.central.answered_at_s = 0 if answer.at is None else int(answer.at.timestamp())
    turn.state.central.run_at_s = (
        (0 if answer.at is None else int(answer.at.timestamp())) if is_new_run else central.run_at_s
    )
    turn.state.central.proven_ms = turn.now_ms
    turn.state.central.heard_ms = turn.now_ms
    turn.state.central.unanswered = 0
    return is_new_run


def is_waiting(state: NodeState, now_ms: int) -> bool:
    """Whether an open question may still be answered in time."""
    return any(now_ms - asked.asked_ms <= ANSWER_WITHIN_MS for asked in state.central.questions)


def is_brought_nothing(state: NodeState, now_ms: int) -> bool:
    """Whether none of our last questions was answered, in time or late, and the broker brings no states either.

    While central's statuses, which have QoS 0, come by the same connection, a new one is worth a try: Mosquitto 2.0.21
    drops what it has for a client for whom 6,000 packets wait, and keeps what had QoS 1 as "in flight". A hundred of
    those, and nothing with QoS 1 reaches that client again on this connection.
    """
    central = state.central
    is_all = central.unanswered >= _QUESTIONS_MAX == len(central.questions)
    return is_all and central.brought_ms < central.questions[0].asked_ms and not is_waiting(state, now_ms)


def lost_ms(state: NodeState) -> int | None:
    """When the proof of the path ends; ``None`` = it is not proven."""
    central = state.central
    if central.path is not PathPhase.PROVEN:
        return None
    silent_ms = central.heard_ms + state.settings.timing.central_lost_ms
    if not is_strict(state):
        return silent_ms
    return silent_ms if central.proven_ms is None else min(silent_ms, central.proven_ms + PROVES_FOR_MS)


def ask_ms(state: NodeState) -> int | None:
    """When to ask next; ``None`` = never."""
    central = state.central
    if central.path is PathPhase.DOWN or not is_strict(state):
        return None
    if central.sync_sent_ms is None:
        return state.now_ms
    if central.unanswered:
        return central.sync_sent_ms + (ANSWER_WITHIN_MS << min(central.unanswered - 1, _RETRY_DOUBLINGS_MAX))
    return central.sync_sent_ms + ASK_EVERY_MS + state.settings.node * 2_654_435_761 % _SPREAD_MS
