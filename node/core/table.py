"""The transition tables: on this page, as data, stands which state follows which.

Theory
======
The node is a handful of small machines that share one clock. Three of them are worth drawing:

**A button** (N1). A contact bounces: within a few milliseconds of being moved it reports down, up, down.
So an edge proves nothing; a level that has *held* for ``debounce_ms`` does. In between the button is ``CLOSING`` or
``OPENING``. A press does one thing only: once it has fired, the button is ``SPENT`` until it has been up again, so
that a long hold, a chord or a jammed key never sends twice. Bounce while a button is held does not restart the hold. A
button found down when the node starts, or down for ``stuck_ms``, is ``STUCK``: a fault to report, not a wish.

**The path to central** (N8, N11). A socket is not a path: ``CONNECTED`` means that a broker has let us in,
``PROVEN`` that central itself has been heard recently. Only ``PROVEN`` is ever shown as ``Net✓``.

**An incident of ours** (N2, N3, N6), which the presser's screen follows. Its phase is about its *decisive* alerts: the
last one pressed, and any more urgent one still waiting. Normally it runs

    DRAFTED → STORED → PUBLISHED → RECEIVED → ANSWERED → ON_THE_WAY → CLOSED

with five exceptions. ``UNSAVED``: the disk refused the press, so it is sent from memory only, and the screen says that
it is not saved; the disk is retried for ever. ``REFUSED``: it could not even be numbered, so it cannot be sent; the
screen says so, and both are retried for ever. ``ON_AIR`` (N8): the receipt is overdue and the radio carries the alert
now; that proves nothing, so it is shown as *trying*. ``UNDELIVERED``: no receipt in time, and the radio, if there is
one, has had its first chance; both paths keep trying. Only a receipt, however late, leads on from these two. A PUBACK
does not, because the broker is not central; nor does a person's answer or central's state of the incident, because both
name a number that an older copy of this card may have given to another press: they wait for the receipt. Nor does a
further try by radio lead from ``UNDELIVERED`` back to *trying*. ``CANCELLED``: the presser took it back; central still
closes it, so only ``CLOSED`` follows. One thing leads back: ``FORGOTTEN``, when a central restored from a backup no
longer has what it had receipted. A new press in an open incident leads back to ``DRAFTED`` from anywhere: what was true
of the earlier alert is not yet true of this one. Nothing here removes a row from the outbox or keeps a press from being
sent: phases decide what is *shown*, not what is *done*.

A pair that is not in a table changes nothing; :func:`after` is total, and a test visits every pair.
The diagram in ``docs/node-machine.md`` is drawn from these tables by :mod:`tools.node_machine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar


class ButtonPhase(StrEnum):
    """Where one button is."""

    UP = "up"
    CLOSING = "closing"
    DOWN = "down"
    OPENING = "opening"
    SPENT = "spent"
    SPENT_OPENING = "spent opening"
    STUCK = "stuck"
    STUCK_OPENING = "stuck opening"


class ButtonInput(StrEnum):
    """What can happen to one button."""

    EDGE_DOWN = "edge down"
    EDGE_UP = "edge up"
    SETTLED = "level held"
    FIRED = "fired"
    TOO_LONG = "too long"
    FOUND_DOWN = "found down"


class PathPhase(StrEnum):
    """What is known about the path to central."""

    DOWN = "down"
    CONNECTED = "connected"
    PROVEN = "proven"


class PathInput(StrEnum):
    """What can happen to the path."""

    LINK_UP = "link up"
    LINK_DOWN = "link down"
    CENTRAL_HEARD = "central heard"
    CENTRAL_SILENT = "central silent"


class Phase(StrEnum):
    """Phase of an incident of ours, as shown to its presser."""

    DRAFTED = "drafted"
    REFUSED = "refused"
    UNSAVED = "unsaved"
    STORED = "stored"
    PUBLISHED = "published"
    ON_AIR = "on air"
    UNDELIVERED = "undelivered"
    RECEIVED = "received"
    ANSWERED = "answered"
    ON_THE_WAY = "on the way"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class Happening(StrEnum):
    """What can happen to an incident of ours."""

    SAVED = "saved"
    SAVE_REFUSED = "save refused"
    SENT_UNSAVED = "sent unsaved"
    BROKER_HAS_IT = "broker has it"
    RADIO_HAS_IT = "radio has it"
    RECEIPT_OVERDUE = "receipt overdue"
    RECEIPTED = "receipted"
    ANSWERED = "answered"
    SET_OUT = "set out"
    TAKEN_BACK = "answer taken back"
    PRESSED_AGAIN = "pressed again"
    CANCEL_SAVED = "cancel saved"
    WITHDRAWN = "withdrawn unsaved"
    CLOSED = "closed"
    REOPENED = "reopened"
    FORGOTTEN = "forgotten by central"


_S = TypeVar("_S", bound=StrEnum)
_I = TypeVar("_I", bound=StrEnum)
Table = Mapping[_S, Mapping[_I, _S]]

BUTTON: Final[Table[ButtonPhase, ButtonInput]] = MappingProxyType(
    {
        ButtonPhase.UP: {
            ButtonInput.EDGE_DOWN: ButtonPhase.CLOSING,
            ButtonInput.FOUND_DOWN: ButtonPhase.STUCK,
        },
        ButtonPhase.CLOSING: {
            ButtonInput.EDGE_UP: ButtonPhase.UP,
            ButtonInput.SETTLED: ButtonPhase.DOWN,
            ButtonInput.FOUND_DOWN: ButtonPhase.STUCK,
        },
        ButtonPhase.DOWN: {
            ButtonInput.EDGE_UP: ButtonPhase.OPENING,
            ButtonInput.FIRED: ButtonPhase.SPENT,
        },
        ButtonPhase.OPENING: {
            ButtonInput.EDGE_DOWN: ButtonPhase.DOWN,
            ButtonInput.SETTLED: ButtonPhase.UP,
            ButtonInput.FIRED: ButtonPhase.SPENT_OPENING,
            ButtonInput.FOUND_DOWN: ButtonPhase.DOWN,
        },
        ButtonPhase.SPENT: {
            ButtonInput.EDGE_UP: ButtonPhase.SPENT_OPENING,
            ButtonInput.TOO_LONG: ButtonPhase.STUCK,
        },
        ButtonPhase.SPENT_OPENING: {
            ButtonInput.EDGE_DOWN: ButtonPhase.SPENT,
            ButtonInput.SETTLED: ButtonPhase.UP,
            ButtonInput.FOUND_DOWN: ButtonPhase.SPENT,
        },
        ButtonPhase.STUCK: {
            ButtonInput.EDGE_UP: ButtonPhase.STUCK_OPENING,
        },
        ButtonPhase.STUCK_OPENING: {
            ButtonInput.EDGE_DOWN: ButtonPhase.STUCK,
            ButtonInput.SETTLED: ButtonPhase.UP,
            ButtonInput.FOUND_DOWN: ButtonPhase.STUCK,
        },
    }
)

PATH: Final[Table[PathPhase, PathInput]] = MappingProxyType(
    {
        PathPhase.DOWN: {
            PathInput.LINK_UP: PathPhase.CONNECTED,
        },
        PathPhase.CONNECTED: {
            PathInput.LINK_DOWN: PathPhase.DOWN,
            PathInput.CENTRAL_HEARD: PathPhase.PROVEN,
        },
        PathPhase.PROVEN: {
            PathInput.LINK_UP: PathPhase.CONNECTED,
            PathInput.LINK_DOWN: PathPhase.DOWN,
            PathInput.CENTRAL_SILENT: PathPhase.CONNECTED,
        },
    }
)

INCIDENT: Final[Table[Phase, Happening]] = MappingProxyType(
    {
        Phase.DRAFTED: {
            Happening.SAVED: Phase.STORED,
            Happening.SAVE_REFUSED: Phase.REFUSED,
            Happening.SENT_UNSAVED: Phase.UNSAVED,
        },
        Phase.REFUSED: {
            Happening.SAVED: Phase.STORED,
            Happening.SENT_UNSAVED: Phase.UNSAVED,
            Happening.PRESSED_AGAIN: Phase.DRAFTED,
            Happening.CANCEL_SAVED: Phase.CANCELLED,
            Happening.WITHDRAWN: Phase.CLOSED,
        },
        Phase.UNSAVED: {
            Happening.SAVED: Phase.STORED,
            Happening.RADIO_HAS_IT: Phase.ON_AIR,
            Happening.RECEIPT_OVERDUE: Phase.UNDELIVERED,
            Happening.RECEIPTED: Phase.RECEIVED,
            Happening.PRESSED_AGAIN: Phase.DRAFTED,
            Happening.CANCEL_SAVED: Phase.CANCELLED,
        },
        Phase.STORED: {
            Happening.SENT_UNSAVED: Phase.UNSAVED,
            Happening.BROKER_HAS_IT: Phase.PUBLISHED,
            Happening.RADIO_HAS_IT: Phase.ON_AIR,
            Happening.RECEIPT_OVERDUE: Phase.UNDELIVERED,
            Happening.RECEIPTED: Phase.RECEIVED,
            Happening.PRESSED_AGAIN: Phase.DRAFTED,
            Happening.CANCEL_SAVED: Phase.CANCELLED,
        },
        Phase.PUBLISHED: {
            Happening.RADIO_HAS_IT: Phase.ON_AIR,
            Happening.RECEIPT_OVERDUE: Phase.UNDELIVERED,
            Happening.RECEIPTED: Phase.RECEIVED,
            Happening.PRESSED_AGAIN: Phase.DRAFTED,
            Happening.CANCEL_SAVED: Phase.CANCELLED,
        },
        Phase.ON_AIR: {
            Happening.RECEIPT_OVERDUE: Phase.UNDELIVERED,
            Happening.RECEIPTED: Phase.RECEIVED,
            Happening.PRESSED_AGAIN: Phase.DRAFTED,
            Happening.CANCEL_SAVED: Phase.CANCELLED,
        },
        Phase.UNDELIVERED: {
            Happening.RECEIPTED: Phase.RECEIVED,
            Happening.PRESSED_AGAIN: Phase.DRAFTED,
            Happening.CANCEL_SAVED: Phase.CANCELLED,
        },
        Phase.RECEIVED: {
            Happening.ANSWERED: Phase.ANSWERED,
            Happening.SET_OUT: Phase.ON_THE_WAY,
            Happening.PRESSED_AGAIN: Phase.DRAFTED,
            Happening.CANCEL_SAVED: Phase.CANCELLED,
            Happening.CLOSED: Phase.CLOSED,
            Happening.FORGOTTEN: Phase.STORED,
        },
        Phase.ANSWERED: {
            Happening.SET_OUT: Phase.ON_THE_WAY,
            Happening.TAKEN_BACK: Phase.RECEIVED,
            Happening.PRESSED_AGAIN: Phase.DRAFTED,
            Happening.CANCEL_SAVED: Phase.CANCELLED,
            Happening.CLOSED: Phase.CLOSED,
            Happening.FORGOTTEN: Phase.STORED,
        },
        Phase.ON_THE_WAY: {
            Happening.ANSWERED: Phase.ANSWERED,
            Happening.TAKEN_BACK: Phase.RECEIVED,
            Happening.PRESSED_AGAIN: Phase.DRAFTED,
            Happening.CANCEL_SAVED: Phase.CANCELLED,
            Happening.CLOSED: Phase.CLOSED,
            Happening.FORGOTTEN: Phase.STORED,
        },
        Phase.CANCELLED: {
            Happening.CLOSED: Phase.CLOSED,
        },
        Phase.CLOSED: {
            Happening.REOPENED: Phase.RECEIVED,
        },
    }
)

UNSETTLED: Final = frozenset(
    {
        Phase.DRAFTED,
        Phase.REFUSED,
        Phase.UNSAVED,
        Phase.STORED,
        Phase.PUBLISHED,
        Phase.ON_AIR,
        Phase.UNDELIVERED,
    }
)
"""Central is not known to have it: the presser's own screen comes before everything else."""

PASSING: Final = frozenset({Phase.ANSWERED, Phase.ON_THE_WAY, Phase.CANCELLED, Phase.CLOSED})
"""Shown for ``outcome_shown_ms``, then the idle face returns."""


def after(table: Table[_S, _I], phase: _S, happening: _I) -> _S:
    """The next phase; unchanged if the table lacks this pair."""
    return table[phase].get(happening, phase)
