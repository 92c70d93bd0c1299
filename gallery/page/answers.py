"""What the page says back: to somebody who signs in, and to somebody who reports."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gallery.core.effects import AnswerSignIn, NotShown, RefuseView, SignIn
from gallery.core.words import CO_ORDINATOR, NOT_SHOWN, SIGN_IN, WORDS, Words
from gallery.page.ports import AlertAnswer, AlertState


class SignInAnswer(Struct, frozen=True):
    """To whoever types.

    Attributes:
        wait_s: for so long no try is taken.
    """

    outcome: str
    what: str = ""
    why: str = ""
    to_do: str = ""
    call: str = ""
    wait_s: int = 0


class ReportAnswer(Struct, frozen=True):
    """To whoever reported: what is true now.

    Attributes:
        incident: by it they are told how it goes on.
        office: that the office does not get it; empty = it does.
    """

    state: str
    what: str
    to_do: str
    incident: str = ""
    office: str = ""


TOO_MANY_TRIES: Final = Words(
    "You have to wait.",
    "There were too many wrong tries from this screen.",
    "Wait until the time is over, then try again.",
    "your manager, who can ask for a new start code",
)
REPORTED: Final[Mapping[AlertState, tuple[str, str]]] = {
    AlertState.SENT: ("Sent to central.", "Nobody has answered yet. In danger, call 999."),
    AlertState.SAVED: (
        "Saved on this unit. Not received yet.",
        "It keeps trying. In danger, use the radio or call 999.",
    ),
    AlertState.IMPOSSIBLE: ("NOT SENT.", "Use the radio or call 999."),
    AlertState.UNKNOWN: ("It is not known whether this was sent.", "Use the panic button, or call 999."),
}
"""What is true, and what to do."""
ONLY_KEPT: Final = "The office gets your report later, but nobody is told now."
NOT_KEPT: Final = f"Your report was not kept for the office: telephone {CO_ORDINATOR}."
NOT_SHOWN_ANY_MORE: Final = "This person is not in the gallery any more."


def sign_in_answer(answer: AnswerSignIn) -> SignInAnswer:
    """The core's answer in words."""
    wait_s = math.ceil(answer.wait_ms / 1000)
    if answer.outcome in {SignIn.OPEN, SignIn.CHOOSE_PIN}:
        return SignInAnswer(answer.outcome, wait_s=wait_s)
    return _said(answer.outcome, SIGN_IN[answer.outcome], wait_s, answer.text)


def slowed(wait_s: float) -> SignInAnswer:
    """Nothing was compared: too many wrong ones came from this address."""
    return _said(SignIn.LOCKED, TOO_MANY_TRIES, math.ceil(wait_s), "")


def _said(outcome: SignIn, words: Words, wait_s: int, text: str) -> SignInAnswer:
    return SignInAnswer(outcome, words.what, text or words.why, words.to_do, words.call, wait_s)


def refused_words(refused: RefuseView) -> Words:
    """Why somebody is not shown."""
    return NOT_SHOWN[refused.why] if isinstance(refused.why, NotShown) else WORDS[refused.why]


def report_answer(answer: AlertAnswer, *, is_kept: bool) -> ReportAnswer:
    """What is true of a report, in words.

    Args:
        answer: of the node, about the alert.
        is_kept: the report is on the disk, for the office.
    """
    what, to_do = REPORTED[answer.state]
    if answer.state is AlertState.IMPOSSIBLE and is_kept:
        to_do = f"{ONLY_KEPT} {to_do}"
    said = f"{what} {answer.text}".strip()
    return ReportAnswer(answer.state, said, to_do, answer.incident, "" if is_kept else NOT_KEPT)
