"""What a browser sends to act: decoded, checked and cleaned, or refused in a sentence a person can use."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from central.core.view import (
    Action,
    AddNote,
    Assign,
    Close,
    CloseRevoked,
    EndWatch,
    Person,
    SetOnTheWay,
    StartWatch,
)
from wire.kinds import Role
from wire.limits import MESSAGE_BYTES_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX
from wire.text import display_text

ACTION_BYTES_MAX: Final = MESSAGE_BYTES_MAX
_INCIDENT_CHARS_MAX: Final = 64
_ROLES: Final = frozenset(role.slug for role in Role)


class ActionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``{"action": {"type": "acknowledge", "incident": …}, "by": {"role": "cctv", "name": …}}``."""

    action: Action
    by: Person


class ActionError(ValueError):
    """Not understood or not allowed; the message is for the person at the page, ``status`` for the browser."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


_decoder: Final = msgspec.json.Decoder(ActionRequest)


def decode_action(body: bytes) -> ActionRequest:
    """Read one request; its texts come out as clean single lines.

    Raises:
        ActionError: 400 not JSON, 413 too long, 422 not an action, or a text missing or too long.
    """
    if len(body) > ACTION_BYTES_MAX:
        raise ActionError(413, f"The request is longer than {ACTION_BYTES_MAX} bytes.")
    try:
        request = _decoder.decode(body)
    except msgspec.ValidationError as e:
        raise ActionError(422, f"This is not an action central knows: {e}.") from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise ActionError(400, "The request is not JSON.") from e
    return ActionRequest(action=_clean(request.action), by=_person(request.by))


def _person(by: Person) -> Person:
    if by.role not in _ROLES:
        raise ActionError(422, f"There is no such role; the roles are {', '.join(sorted(_ROLES))}.")
    return Person(role=by.role, name=_text(by.name, NAME_CHARS_MAX, "Your name"))


def _clean(action: Action) -> Action:
    match action:
        case Assign():
            cleaned: Action = replace(action, to=_text(action.to, NAME_CHARS_MAX, "Who it is assigned to"))
        case AddNote():
            cleaned = AddNote(action.incident, _text(action.text, TEXT_CHARS_MAX, "The note"))
        case Close():
            cleaned = replace(action, outcome=_text(action.outcome, TEXT_CHARS_MAX, "The outcome"))
        case CloseRevoked():
            cleaned = CloseRevoked(action.node, _text(action.outcome, TEXT_CHARS_MAX, "The outcome"))
        case SetOnTheWay(who=Person() as who):
            name = _text(who.name, NAME_CHARS_MAX, "The name of who is on the way")
            cleaned = replace(action, who=Person(who.role, name))
        case _:
            cleaned = action
    if (
        not isinstance(cleaned, StartWatch | EndWatch | CloseRevoked)
        and not 0 < len(cleaned.incident) <= _INCIDENT_CHARS_MAX
    ):
        raise ActionError(422, "That is not the id of an incident.")
    return cleaned


def _text(text: str, chars_max: int, what: str) -> str:
    # Refused rather than cut: the person must know that what is recorded is what was written.
    if len(text) > chars_max:
        raise ActionError(422, f"{what} may have {chars_max} characters; this has {len(text)}.")
    cleaned = display_text(text, chars_max)
    if not cleaned:
        raise ActionError(422, f"{what} is missing.")
    return cleaned
