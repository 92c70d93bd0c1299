"""The page's words: one table for the server's templates and, as JSON, for the browser's script."""

from __future__ import annotations

from typing import Final

from central.core.people import AUTOMATIC, GOING, is_automatic, words
from central.core.view import Person
from wire.kinds import AlertKind, Role

KIND_WORDS: Final[dict[AlertKind, tuple[str, str]]] = {
    AlertKind.ATTACK: ("ATTACK", "Threat to a person"),
    AlertKind.ASSIST: ("ASSIST", "Come and help"),
    AlertKind.THEFT: ("THEFT", "Theft in progress"),
    AlertKind.SIGHTING: ("SIGHTING", "Suspected shoplifter nearby"),
    AlertKind.DISORDER: ("DISORDER", "Disorder"),
    AlertKind.BREACH: ("BREACH", "Excluded person refused entry"),
    AlertKind.CALL_REQUEST: ("CALL BACK", "Wants a call"),
    AlertKind.TEST: ("TEST", "Nobody is in danger"),
    AlertKind.TAMPER: ("TAMPER", "Unit opened or moved"),
    AlertKind.POWER: ("POWER", "Unit lost its power"),
    AlertKind.FAULT: ("FAULT", "Unit is faulty"),
}
"""Short word for the badge, and what it means."""

STATE_WORDS: Final = {
    "unanswered": "UNANSWERED",
    "answered": "ANSWERED",
    "on-the-way": "ON THE WAY",
    "closed": "CLOSED",
}
"""Three people may close, come and answer: each is named with their own act and time."""

CANCEL_WORDS: Final = {"mistake": "pressed by mistake", "stand-down": "no longer needed"}

PATH_WORDS: Final = {"network": "net", "radio": "radio"}

HEALTH_WORDS: Final = {
    "no-contact": "NO CONTACT",
    "fault": "FAULT",
    "stopped": "SWITCHED OFF",
    "never-seen": "NEVER SEEN",
    "ok": "OK",
    "revoked": "REVOKED",
}
"""In the order of the list: premises that cannot call for help come first."""

NET_WORDS: Final = {
    "no-contact": "LOST",
    "fault": "OK",
    "stopped": "OFF",
    "never-seen": "NEVER SEEN",
    "ok": "OK",
    "revoked": "–",
}
NET_SHAPES: Final = {
    "no-contact": "state-no-contact",
    "fault": "state-ok",
    "stopped": "state-stopped",
    "never-seen": "state-never-seen",
    "ok": "state-ok",
    "revoked": "state-revoked",
}
"""The network path by state of the premises: a unit with a fault is still in contact."""

RADIO_WORDS: Final = {
    "ready": "OK",
    "untested": "NOT PROVEN",
    "listening": "LISTEN ONLY, no licence",
    "fault": "FAULT",
    "unknown": "",
}
RADIO_SHAPES: Final = {
    "ready": "state-ok",
    "untested": "state-never-seen",
    "listening": "state-stopped",
    "fault": "state-fault",
    "unknown": "state-never-seen",
}
"""The radio path: OK only while a recent test has come back."""

RADIO_MARKS: Final = {"ready": "✓", "untested": "?", "listening": " RX", "fault": "!", "unknown": "?"}
"""The same as a mark, as on the shop's panel."""

HISTORY_WORDS: Final = {
    "pressed": "Pressed",
    "upgraded": "Became more urgent",
    "repeated": "Pressed again",
    "reopened": "Pressed again after it was closed",
    "found-late": "Reached central late",
    "acknowledged": "Answered",
    "unacknowledged": "Answer taken back",
    "on-the-way": "On the way",
    "assigned": "Assigned to",
    "note": "Note",
    "cancelled": "Cancelled",
    "member": "Member",
    "closed": "Closed",
    "asked": "Asked",
    "skipped": "Skipped",
    "nobody": "NOBODY could be asked",
    "told": "Told",
    "not-told": "NOT told",
}

RESPONSE_WORDS: Final = {"seen": "seen", "responding": "responding"}

OUTCOMES: Final = (
    "Dealt with on site",
    "Police attended",
    "Left before anyone arrived",
    "Pressed by mistake",
    "Stolen or faulty unit",
    "Test or drill",
)

SILENT_WARNING: Final = "SILENT – do not call the premises’ radio"

UNTOLD_WARNING: Final = "SHOP NOT TOLD YET – no network or radio contact"


def by_whom(person: Person) -> str:
    """``by PCSO on duty J Patel``, or ``automatically`` for what central did itself."""
    if is_automatic(person):
        return "automatically"
    return f"by {words(person)}"


def browser_words() -> dict[str, object]:
    """The tables, as the page's script expects them."""
    return {
        "kinds": {kind.slug: {"word": word, "means": means} for kind, (word, means) in KIND_WORDS.items()},
        "roles": {role.slug: role.title for role in Role},
        "going": [role.slug for role in GOING],
        "states": STATE_WORDS,
        "cancels": CANCEL_WORDS,
        "paths": PATH_WORDS,
        "health": HEALTH_WORDS,
        "nets": NET_WORDS,
        "net_shapes": NET_SHAPES,
        "radios": RADIO_WORDS,
        "radio_shapes": RADIO_SHAPES,
        "radio_marks": RADIO_MARKS,
        "history": HISTORY_WORDS,
        "responses": RESPONSE_WORDS,
        "silent": SILENT_WARNING,
        "untold": UNTOLD_WARNING,
        "automatic": {"role": AUTOMATIC.role, "name": AUTOMATIC.name},
    }
