"""The table of lies: everything said on each topic, and every manner in which a hostile broker may lie about it.

The rows come from wire's own lists of topics, frames and messages, further divided by ``_WORDS``. A new kind of frame
or type of message without words there is an error, so nothing new escapes the table. Each cell is played, or says why
there is nothing to play: :func:`why_not`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Final, get_args, get_type_hints

from msgspec import Struct

from tools.publish.channels import CHANNELS, Channel
from wire.directory import SealedDirectory
from wire.directory_parts import DirectoryPart
from wire.frames import Acknowledgement, Alert, AutomaticAcknowledgement, Cancel, Frame, Refusal, Response
from wire.kinds import AnswerState, CancelReason, FrameKind, MemberResponse, RefusalReason
from wire.messages import CentralStatus, Health, IncidentState, Message, Sync, SyncAnswer
from wire.node_settings import SealedSettings


class Manner(StrEnum):
    """A way to lie about a topic's messages."""

    UNSIGNED = "unsigned"
    WRONG_SIGNER = "wrong signer"
    RETARGETED = "retargeted"
    REPLAYED = "replayed"
    TO_ANOTHER = "replayed to another"
    AFTER_NODE = "replayed after a restart of the nodes"
    AFTER_CENTRAL = "replayed after a restart of central"
    AFTER_RESTORE = "replayed after a restore of central"
    DELAYED_100_S = "delayed 100 s"
    DELAYED_2_H = "delayed 2 h"
    REORDERED = "reordered"
    WITHHELD = "withheld"


REPLAYS: Final = (Manner.REPLAYED, Manner.AFTER_NODE, Manner.AFTER_CENTRAL, Manner.AFTER_RESTORE)
DELAYS_S: Final[Mapping[Manner, int]] = {Manner.DELAYED_100_S: 100, Manner.DELAYED_2_H: 7_200}
IN_TOWN_WITH_RADIO: Final = "no radio in this town; the script 'withheld' plays it"

PRESS: Final = "press"
FURTHER: Final = "further press"
CANCELLED: Final = "cancelled"
SOMEBODY: Final = "somebody on duty"
NOBODY_ON: Final = "nobody on duty"
COUNTERS: Final = "counters"
WAITING: Final = "what waits"
RECEIPTED: Final = "what was receipted"
FLOOR: Final = "counter floor"
MISSING: Final = "what is missing"
STATES: Final = "states"
_ONE: Final = ("",)


OF_MEMBERS: Final = (FrameKind.ALERT, FrameKind.CANCEL, FrameKind.RESPONSE, FrameKind.PATH_TEST)


def _slugs(kind: type[AnswerState | CancelReason | MemberResponse | RefusalReason]) -> tuple[str, ...]:
    return tuple(member.slug for member in kind)


def _states(kind: type[Message]) -> tuple[str, ...]:
    return get_args(get_type_hints(kind)["state"])


_WORDS: Final[Mapping[FrameKind | type[Message], tuple[str, ...]]] = {
    FrameKind.ALERT: (PRESS, FURTHER),
    FrameKind.CANCEL: _slugs(CancelReason),
    FrameKind.RESPONSE: _slugs(MemberResponse),
    FrameKind.PATH_TEST: _ONE,
    FrameKind.RECEIPT: _ONE,
    FrameKind.RECEIPT_BATCH: _ONE,
    FrameKind.DIGEST_RECEIPT: _ONE,
    FrameKind.DIGEST_RECEIPT_BATCH: _ONE,
    FrameKind.REFUSAL: _slugs(RefusalReason),
    FrameKind.ACKNOWLEDGEMENT: _slugs(AnswerState),
    FrameKind.AUTOMATIC_ACKNOWLEDGEMENT: _slugs(AnswerState),
    FrameKind.PRESS_ACKNOWLEDGEMENT: _slugs(AnswerState),
    IncidentState: (*_states(IncidentState), CANCELLED),
    CentralStatus: (SOMEBODY, NOBODY_ON),
    Health: _states(Health),
    Sync: (COUNTERS, WAITING, RECEIPTED),
    SyncAnswer: (FLOOR, MISSING, STATES),
    SealedDirectory: _ONE,
    DirectoryPart: _ONE,
    SealedSettings: _ONE,
}


class Row(Struct, frozen=True):
    """One kind of content on a topic.

    Attributes:
        channel: the topic.
        what: kind of frame, or type of message.
        word: which of its kind; empty if there is only one. Orders to put something on the air differ only by kind:
            receivers judge the frame's content as if it had come by itself.
    """

    channel: Channel
    what: FrameKind | type[Message]
    word: str

    @property
    def name(self) -> str:
        """``ack: acknowledgement, closed``."""
        what = self.what.slug if isinstance(self.what, FrameKind) else self.what.__name__
        return f"{self.channel.name}: {what}" + (f", {self.word}" if self.word else "")

    @property
    def is_frame_of_member(self) -> bool:
        """Whether it is a member's frame, on its own topic or from a relay."""
        return self.channel.name in ("frame", "heard")


@cache
def rows(channels: tuple[Channel, ...] = CHANNELS) -> tuple[Row, ...]:
    """All of them.

    Raises:
        KeyError: something new has no words.
    """
    found = []
    for channel in channels:
        carried = channel.payload if isinstance(channel.payload, tuple) else channel.messages
        for what in carried:
            words = _ONE if channel.name == "air" and what in _WORDS else _WORDS[what]
            found += [Row(channel, what, word) for word in words]
    return tuple(found)


def row_of(channel: str, what: FrameKind | type[Message], word: str) -> Row | None:
    """The row of a message."""
    wanted = "" if channel == "air" else word
    return next((row for row in rows() if (row.channel.name, row.what, row.word) == (channel, what, wanted)), None)


def word_of(said: Frame | Message) -> str:  # noqa: PLR0911 - one for each type
    """The word that tells it from others of its kind."""
    match said:
        case Alert():
            return PRESS if said.id == said.incident_id else FURTHER
        case Cancel() | Refusal():
            return said.reason.slug
        case Response():
            return said.response.slug
        case Acknowledgement() | AutomaticAcknowledgement():
            return said.state.slug
        case IncidentState():
            return CANCELLED if said.cancelled else said.state
        case CentralStatus():
            return SOMEBODY if said.on_duty else NOBODY_ON
        case Health():
            return said.state
        case Sync():
            return RECEIPTED if said.receipted else WAITING if said.pending else COUNTERS
        case SyncAnswer():
            return MISSING if said.missing else STATES if said.incidents else FLOOR
        case _:
            return ""


def why_not(row: Row, manner: Manner) -> str:
    """Why there is nothing to play; empty if the cell is played."""
    return next((nothing.why for nothing in _NOTHING if nothing.is_about(row, manner)), "")


class _Nothing(Struct, frozen=True):
    """Cells in which there is nothing to play.

    Attributes:
        channel: by name.
        manners: in these.
        why: in words.
        what: which of the channel's rows, by content and word; empty = all.
    """

    channel: str
    manners: tuple[Manner, ...]
    why: str
    what: tuple[tuple[FrameKind | type[Message], str], ...] = ()

    def is_about(self, row: Row, manner: Manner) -> bool:
        """Whether it covers that cell."""
        return (
            row.channel.name == self.channel
            and manner in self.manners
            and (not self.what or (row.what, row.word) in self.what)
        )


def _each(*kinds: FrameKind) -> tuple[tuple[FrameKind, str], ...]:
    return tuple((kind, word) for kind in kinds for word in _WORDS[kind])


_PATH_TEST: Final = _each(FrameKind.PATH_TEST)
_UNTIMED: Final = (*DELAYS_S, Manner.REORDERED)
_ASKED_ANEW: Final = "what a restored central lacks, it takes from anybody who has the bytes"
_NO_ALARM: Final = "it raises no alarm of its own, and what a member did stays done: as a replayed one"
_RAISES_NO_ALARM: Final = (
    (FrameKind.ALERT, FURTHER),
    *_each(*(kind for kind in OF_MEMBERS if kind is not FrameKind.ALERT)),
)
_NOTHING: Final = (
    _Nothing(
        "air", (Manner.RETARGETED,), "the frame names whom it is for; through whom it goes on the air is no claim"
    ),
    _Nothing("air", (Manner.REORDERED,), "what is put on the air has no order; its receivers judge the frame"),
    _Nothing(
        "air",
        (Manner.AFTER_NODE, Manner.AFTER_CENTRAL, Manner.AFTER_RESTORE),
        "a radio judges an order by its signature and its age, which no restart changes: as a replayed one",
    ),
    _Nothing(
        "air",
        (Manner.WITHHELD,),
        "as a receipt: what no radio is told to say, nobody hears",
        tuple((kind, "") for kind in FrameKind if kind is not FrameKind.DIGEST_RECEIPT),
    ),
    _Nothing("air", tuple(Manner), IN_TOWN_WITH_RADIO),
    _Nothing("directory", (Manner.RETARGETED, Manner.TO_ANOTHER), "there is one for all, so nobody whom it is not for"),
    _Nothing("directory", _UNTIMED, "its serial is its time: as a replayed one"),
    _Nothing(
        "directory",
        (Manner.WITHHELD,),
        "each health names the serial that its node has: central sends the newer one until it has come",
    ),
    _Nothing("settings", _UNTIMED, "their serial is their time: as replayed ones"),
    _Nothing(
        "settings",
        (Manner.WITHHELD,),
        "each health names the serial that its node has: central sends the newer ones until they have come",
    ),
    _Nothing("receipt", _UNTIMED, "it is never believed from a central that signs", _each(FrameKind.RECEIPT)),
    _Nothing(
        "receipt", _UNTIMED, "it names the bytes that central has or refuses, and stays true for this run of central"
    ),
    _Nothing(
        "health",
        _UNTIMED,
        "a last will bears no time and is a hint only: as a replayed one",
        ((Health, "lost"),),
    ),
    _Nothing(
        "health",
        (Manner.AFTER_CENTRAL, Manner.AFTER_RESTORE),
        "central forgets with its run which healths it heard, and takes a kept one once more (ADR 0016)",
    ),
    _Nothing("sync", (Manner.REORDERED,), "its nonce is its order: as a replayed one"),
    _Nothing("heard", (Manner.WITHHELD,), IN_TOWN_WITH_RADIO, ((FrameKind.ALERT, PRESS),)),
    _Nothing("heard", (Manner.WITHHELD,), "as the first press: central lacks what no radio hands on to it"),
    _Nothing("heard", (Manner.AFTER_RESTORE,), _ASKED_ANEW),
    _Nothing("heard", (Manner.REORDERED,), "central takes the frame as if it had come by itself"),
    _Nothing("heard", tuple(DELAYS_S), _NO_ALARM, _RAISES_NO_ALARM),
    _Nothing("frame", (Manner.WITHHELD,), "a radio says it, and the network never carries it so", _PATH_TEST),
    *(
        _Nothing(channel, (Manner.WITHHELD,), why, what)
        for channel, what, why in (
            ("frame", ((FrameKind.CANCEL, "mistake"),), "as a stand-down: its reason is no part of its way"),
            ("frame", ((FrameKind.RESPONSE, "seen"),), "as *responding*: which it is, is no part of its way"),
            ("incident", ((IncidentState, CANCELLED),), "as any other state: the next answer to a node names it"),
            (
                "health",
                ((Health, "starting"), (Health, "stopping"), (Health, "lost")),
                "as *armed*: central hears nothing of the unit",
            ),
            ("sync", ((Sync, WAITING), (Sync, RECEIPTED)), "as its counters: central does not hear the question"),
            ("receipt", _each(FrameKind.RECEIPT), "a central that signs says only the kind that names the bytes"),
            (
                "ack",
                _each(FrameKind.ACKNOWLEDGEMENT),
                "units of this version are told only the kind that names the press",
            ),
            ("receipt", _each(FrameKind.REFUSAL), "as a receipt: until it comes, the press waits"),
            (
                "ack",
                _each(FrameKind.AUTOMATIC_ACKNOWLEDGEMENT),
                "as a person's: the state that is signed tells it as well",
            ),
            ("syncAnswer", ((SyncAnswer, MISSING), (SyncAnswer, STATES)), "as the floor: the node hears no answer"),
        )
    ),
    _Nothing("frame", (Manner.AFTER_RESTORE,), _ASKED_ANEW),
    _Nothing(
        "frame",
        (Manner.TO_ANOTHER,),
        "nobody of the other scheme has the incident, and central knows the bytes",
        _each(FrameKind.CANCEL, FrameKind.RESPONSE),
    ),
    _Nothing(
        "frame",
        (Manner.REORDERED,),
        "it stands alone: there is nothing that it could overtake",
        _each(FrameKind.PATH_TEST, FrameKind.RESPONSE),
    ),
    _Nothing(
        "frame",
        (Manner.REORDERED,),
        "as one by mistake: its reason is no part of its order",
        ((FrameKind.CANCEL, "stand-down"),),
    ),
    _Nothing("frame", tuple(DELAYS_S), _NO_ALARM, _RAISES_NO_ALARM),
)
