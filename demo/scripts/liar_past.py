"""The past of the liar's town before the first lie, and what of it is still open; the liar keeps it all."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from central.core.view import Board, UndoAcknowledge
from demo.cable import Way
from demo.chronicle import CENTRAL
from demo.liar import CENTRALS, Forge, Liar, Said
from demo.lies import frame_said, path_test, relayed
from demo.lies_json import SETTINGS_HELD, settings
from demo.notice import NeverCameError
from demo.premises import SCHEMES
from demo.scene import HART, PUB_WATCH, Scene
from demo.scripts.stage import PATIENCE_S, Stage
from demo.shop import Premises
from demo.town import Town
from demo.watch_room import PERSON, RefusedError, card_of
from node.core.neighbours.alerts import GUARD_MS
from node.core.settings import Timing
from wire.answers import frame_digest
from wire.errors import DecodeError
from wire.frames import Alert, Response
from wire.ids import FrameId, NodeId, parse_node
from wire.messages import CentralStatus, Health, IncidentState, Sync, decode_message
from wire.topics import CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic, Up, UpTopic, parse_topic

__all__ = ["HOLD_MS", "Cast", "Open", "live", "number_of", "scene_of"]

HOLD_MS: Final = 1_600
"""Attack and cancel are held."""
_TRIES: Final = 10
_TRY_S: Final = 8.0
_SPARE: Final = 100_000
"""How far above a node's last number: a script never gets there."""


class Cast(Struct, frozen=True):
    """The roles; see :class:`~demo.scene.Scene`."""

    victim: Premises
    answered: Premises
    pending: Premises
    idle: Premises
    dead: Premises
    thief: Premises
    asking: Premises
    """In the idle premises' scheme, with a test open; and one more."""
    uninformed: Premises

    @classmethod
    def of(cls, stage: Stage) -> Cast:
        """The cast, by premises' keys."""
        names = ("penny-books", "bells", "corner-shop", "red-lion", "pharmacy", "night-stop", "vaults", "anchor")
        return cls(*map(stage.premises, names))


class Open(Struct, frozen=True):
    """What is open, by text id; a finished test; the pending premises' response that only neighbours have heard.

    The last of the tests is open; those before it Watchlink has answered.
    """

    victim: str
    answered: str
    pending: str
    tests: tuple[str, ...]
    proof: str
    response: str

    @property
    def alerts(self) -> tuple[str, ...]:
        """The open alerts that are not tests."""
        return (self.victim, self.answered, self.pending)


async def live(stage: Stage, liar: Liar, forge: Forge, cast: Cast) -> Open:
    """Make the past: presses, answers and cancels of every kind, relays, a death, and what stays open."""
    proof = await stage.press(cast.answered, "test")
    await stage.until_fact("receipt", cast.answered.node, proof)
    await stage.close(cast.answered, proof, "Test")
    await _cancelled(stage, cast)
    tests = await open_test(stage, cast.asking)
    victim = await _pressed_again_after_closing(stage, cast)
    answered = await _answered(stage, cast)
    pending = await _kept_from_central(stage, liar, cast)
    _relay_all(liar, forge, cast, pending)

    await _settings_refused(stage, liar, forge, cast)
    await _until_kept_of(stage, liar, cast.dead)
    await stage.town.kill(cast.dead.program)
    # For its first minute the pending alert has its panel to itself; then others take turns.
    await asyncio.sleep((Timing().outcome_shown_ms + 1_000) / 1_000)
    response = await _coming_kept_from_central(stage, liar, cast, victim)
    await stage.town.watch_room.board_when(
        f"central said that it hears nothing of {cast.dead.name}",
        lambda board: any(line.node == cast.dead.node and line.state == "no-contact" for line in board.nodes),
        2 * PATIENCE_S,
    )
    return Open(victim, answered, pending, tests, proof, response)


def scene_of(kept: Iterable[Said], town: Town, cast: Cast, now_open: Open) -> Scene:
    """The scene, with the numbers last used."""
    statuses, health, syncs, revisions, centrals, frames = [], {}, {}, {}, [0], {}
    latest = FrameId.parse(now_open.victim)
    for said in kept:
        match _topic(said):
            case CentralTopic():
                statuses.append(decode_message(said.payload, CentralStatus))
            case UpTopic(node=node, channel=Up.HEALTH):
                found = decode_message(said.payload, Health)
                if found.state != "lost":
                    health[f"{node:08x}"] = found
            case UpTopic(node=node, channel=Up.SYNC):
                syncs[f"{node:08x}"] = decode_message(said.payload, Sync)
            case IncidentTopic():
                state = decode_message(said.payload, IncidentState)
                revisions[state.incident] = state.revision
            case DownTopic(channel=channel) if channel in ("receipt", "ack") and (frame := frame_said(said)):
                centrals.append(frame.counter)
            case FrameTopic() if frame := frame_said(said):
                frames[frame.id.text] = said.payload
                if isinstance(frame, Alert) and frame.incident_id.text == now_open.victim:
                    latest = max(latest, frame.id)
    return Scene(
        victim=cast.victim.node,
        answered=cast.answered.node,
        pending=cast.pending.node,
        idle=cast.idle.node,
        dead=cast.dead.node,
        thief=cast.thief.node,
        schemes={HART: slug(HART), PUB_WATCH: slug(PUB_WATCH)},
        incident=now_open.victim,
        incident_latest=latest.text,
        answered_incident=now_open.answered,
        test_incident=now_open.tests[-1],
        pending_alert=now_open.pending,
        pending_digest=frame_digest(frames[now_open.pending]),
        pending_response=now_open.response,
        response_digest=frame_digest(frames[now_open.response]),
        idle_counter=syncs[cast.idle.node].last_counter,
        boot_id=statuses[-1].boot_id,
        runs={node: one.boot_id for node, one in health.items()},
        revision=revisions[now_open.victim],
        revision_answered=revisions[now_open.answered],
        central_counter=max(centrals),
        sequence=max(one.sequence for one in statuses if one.boot_id == statuses[-1].boot_id),
        uptimes_ms={node: one.uptime_ms for node, one in health.items()},
        nonces={node: one.nonce for node, one in syncs.items()},
        directory=(town.folder / "directory.json").read_bytes(),
        at=int(time.time()),
    )


def number_of(premises: Premises) -> NodeId:
    """The id of its node."""
    return parse_node(premises.node)


def slug(scheme: int) -> str:
    """The scheme's name in topics."""
    return tuple(SCHEMES)[scheme - 1]


async def open_test(stage: Stage, where: Premises) -> tuple[str, ...]:
    """Press tests until one stays open, because a person answers it before Watchlink, which would close it.

    Returns:
        All that it took; the last is open.

    Raises:
        NeverCameError: Watchlink was always quicker.
    """
    tests: list[str] = []
    for _ in range(_TRIES):
        test = await stage.press(where, "test")
        tests.append(test)
        await stage.until_fact("committed", CENTRAL, test)
        with contextlib.suppress(RefusedError):
            await stage.acknowledge(where, test)
            return tuple(tests)
        await stage.close(where, test, "Test")
    raise NeverCameError("a person answered a test before Watchlink did")


async def _until_kept_of(stage: Stage, liar: Liar, where: Premises) -> None:
    """Wait until the liar has kept what a node says of itself: it may have come too late for the first words."""
    topics = {str(UpTopic(number_of(where), channel)) for channel in (Up.HEALTH, Up.SYNC)}

    def is_kept() -> bool:
        return topics <= {said.topic for said in liar.kept}

    if not is_kept():
        await where.cable.break_connections()
    await stage.town.notice.until(is_kept, f"the liar had heard {where.name}", 2 * PATIENCE_S)


async def _settings_refused(stage: Stage, liar: Liar, forge: Forge, cast: Cast) -> None:
    """Settings with a profile that no node has: it keeps their serial, and goes on as it was."""
    topic = str(DownTopic(number_of(cast.idle), Down.SETTINGS))
    await liar.tell(Said(topic, settings(cast.idle.node, forge.authority, SETTINGS_HELD), None))
    await stage.until_fact("settings", cast.idle.node, "")


async def _kept_from_central(stage: Stage, liar: Liar, cast: Cast) -> str:
    """An attack that neighbours, but not central, hear of by the network."""
    liar.withhold(str(FrameTopic(slug(HART), number_of(cast.pending))), *CENTRALS)
    await liar.until_obeyed()
    alert = await stage.press(cast.pending, "attack")
    await stage.until_face(cast.pending, "undelivered")
    await stage.until_warned(cast.pending, alert)
    return alert


async def _cancelled(stage: Stage, cast: Cast) -> None:
    """Two cancels: one at once by mistake, one later as stand-down; both closed."""
    first = await stage.press(cast.pending, "assist")
    second = await stage.press(cast.pending, "attack")
    await stage.until_warned(cast.pending, second)
    await _cancel(stage, cast.pending, first)
    await stage.close(cast.pending, first, "Mistake")
    stood_down = await stage.press(cast.answered, "assist")
    await stage.until_fact("receipt", cast.answered.node, stood_down)
    await stage.until_warned(cast.answered, stood_down)
    await stage.acknowledge(cast.answered, stood_down)
    waited_ms = stage.now_ms() - stage.stored(stood_down).at_ms
    await asyncio.sleep(max(0.0, Timing().mistake_ms + 500 - waited_ms) / 1_000)
    await _cancel(stage, cast.answered, stood_down)
    await stage.close(cast.answered, stood_down, "Stood down")


async def _cancel(stage: Stage, premises: Premises, incident: str) -> None:
    await premises.board.press("cancel", HOLD_MS)
    await stage.until_card(
        f"central had the cancel of {incident}",
        incident,
        lambda board: (card := card_of(board, incident)) is not None and card.cancelled is not None,
    )


async def _answered(stage: Stage, cast: Cast) -> str:
    """An alert answered, taken back, answered again."""
    alert = await stage.press(cast.answered, "assist")
    await stage.until_fact("receipt", cast.answered.node, alert)
    await stage.acknowledge(cast.answered, alert)
    await stage.town.watch_room.act(UndoAcknowledge(alert), PERSON)
    await stage.until_taken_back(cast.answered, alert)
    await stage.town.watch_room.acknowledge(alert)
    await stage.until_warned(cast.answered, alert)
    return alert


async def _pressed_again_after_closing(stage: Stage, cast: Cast) -> str:
    """An alert answered, closed, and pressed again by staff who could not know: open and unanswered."""
    victim, room = cast.victim, stage.town.watch_room
    alert = await stage.press(victim, "attack")
    await stage.until_fact("receipt", victim.node, alert)
    await stage.until_warned(victim, alert)
    for response in ("seen", "responding"):
        await _respond(stage, cast.thief, victim, alert, response)
    await stage.acknowledge(victim, alert)
    await room.set_on_the_way(alert)
    await stage.until_acknowledged(victim, alert, "on-the-way")
    victim.cable.hold(Way.FROM_BROKER)
    await room.close(alert, "Attended")
    again = await stage.press(victim, "attack")
    await stage.until_fact("committed", CENTRAL, again)
    victim.cable.release()
    await stage.until_fact("receipt", victim.node, again)
    await stage.until_warned(victim, again)
    await stage.until_face(victim, "received")
    return alert


async def until_on_panel(stage: Stage, where: Premises, presser: Premises) -> None:
    """Wait until the panel has shown the presser's alert for a moment; it may have to wait for its turn."""

    def is_shown() -> bool:
        return presser.is_named_on(where.board.view)

    is_settled = False
    while not is_settled:
        await stage.town.notice.until(is_shown, f"the panel of {where.name} showed {presser.name}", PATIENCE_S)
        # Just after a page turn a press may be meant for the previous alert, and is ignored.
        await asyncio.sleep(2 * GUARD_MS / 1_000)
        is_settled = is_shown()


async def _coming_kept_from_central(stage: Stage, liar: Liar, cast: Cast, alert: str) -> str:
    """The victim's neighbour is coming; the victim hears it, central does not. Returns the frame's text id."""

    def said() -> str | None:
        frames = (frame_said(said) for said in reversed(liar.kept) if said.topic == topic)
        return next((frame.id.text for frame in frames if isinstance(frame, Response)), None)

    topic = str(FrameTopic(slug(HART), number_of(cast.pending)))
    for _ in range(_TRIES):
        await until_on_panel(stage, cast.pending, cast.victim)
        await cast.pending.board.press("responding")
        with contextlib.suppress(NeverCameError):
            await stage.town.notice.until(
                lambda: any(
                    fact.detail.get("from_node") == cast.pending.node
                    for fact in stage.town.chronicle.all("response", node=cast.victim.node, alert=alert)
                ),
                "the victim heard that its neighbour is coming",
                _TRY_S,
            )
            return await stage.town.notice.until(said, "the liar has kept that its neighbour is coming", PATIENCE_S)
    raise NeverCameError(f"{cast.pending.name} said that it is coming to {cast.victim.name}")


async def _respond(stage: Stage, where: Premises, presser: Premises, alert: str, response: str) -> None:
    """Press until central has it: on a busy machine the page may turn under the finger."""
    for attempt in range(_TRIES):
        await until_on_panel(stage, where, presser)
        await where.board.press(response)
        try:
            await stage.town.watch_room.board_when(
                f"central had '{response}' of {where.name}", _has(alert, response), _TRY_S
            )
        except NeverCameError:
            if attempt == _TRIES - 1:
                raise
        else:
            return


def _has(incident: str, response: str) -> Callable[[Board], bool]:
    def is_so(board: Board) -> bool:
        card = card_of(board, incident)
        return card is not None and any(member.response == response for member in card.members)

    return is_so


def _relay_all(liar: Liar, forge: Forge, cast: Cast, pending: str) -> None:
    """Play the members' radios, which this town lacks: all but what is kept from central was heard and relayed."""
    heard = [said for said in liar.kept if isinstance(_topic(said), FrameTopic)]
    used = max(
        frame.counter for said in heard if (frame := frame_said(said)) and frame.sender == number_of(cast.victim)
    )
    # One was heard and relayed; only the liar's own radio knows the other.
    tested, untold = (path_test(cast.victim.node, used + _SPARE + number, slug(HART), forge) for number in (0, 1))
    for said in dict.fromkeys((*heard, tested)):
        frame = frame_said(said)
        if frame is None or frame.id.text == pending:
            continue
        relay = cast.answered if frame.sender != number_of(cast.answered) else cast.victim
        passed_on = relayed(said, relay.node, forge)
        liar.say(passed_on)
        liar.kept.append(passed_on)
    liar.kept.append(untold)


def _topic(said: Said) -> object:
    try:
        return parse_topic(said.topic)
    except DecodeError:
        return None
