"""What nodes are told, asked or unasked, within bounds: states, statuses, sync answers, directories.

Thousands of nodes may ask in one second (the broker came back). Answers over the second's budget wait for the next
tick, so that an alert never waits behind them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final

from msgspec import field

from central.core.cards import slugs_of, state_of
from central.core.effects import PublishStatus, SendDirectory, SendSyncAnswer
from central.core.incident import Incident
from central.core.incidents import Incidents
from central.core.journal import ActionEntry
from central.core.nodes import NodeRecord, Nodes
from central.core.set_aside import Spared
from central.core.timing import Timing
from central.core.undo import Record, Table
from central.core.view import OnDuty, Person
from wire.directory import Directory
from wire.ids import FrameId, NodeId
from wire.kinds import WATCHLINK_ROLE, AnswerState, CentralCapability, Role
from wire.messages import INCIDENTS_MAX, RECEIPTED_MAX, CentralStatus, IncidentState, SyncAnswer
from wire.text import short_name

_ANSWERS: Final = {
    "acknowledged": AnswerState.ANSWERED,
    "unacknowledged": AnswerState.UNANSWERED,
    "on-the-way": AnswerState.ON_THE_WAY,
    "closed": AnswerState.CLOSED,
}
SPEAKS: Final = tuple(capability.value for capability in CentralCapability)
"""What this central understands, as its signed answers say."""
SYNC_STATES_PER_TICK: Final = 80_000
"""About a tenth of a second's work: thousands of nodes that ask at once are answered within seconds."""
EACH_NAMED_FIRST: Final = 4
"""Of each sender in an answer, before any has more: a panel keeps two of one sender when places run short."""
STATES_KEPT_MAX: Final = 4_096
STATE_KEPT: Final = timedelta(minutes=5)


def states_of(incident: Incident, directory: Directory, now_at: datetime, timing: Timing) -> list[IncidentState]:
    """The incident's state for each of its schemes."""
    slugs = slugs_of(incident.schemes, directory)
    return [state_of(incident, slug, directory, now_at + timing.incident_valid) for slug in slugs]


def statuses_of(
    directory: Directory,
    boot_id: str,
    on_duty: Collection[OnDuty],
    now_at: datetime,
    timing: Timing,
    *,
    sequence: int,
) -> list[PublishStatus]:
    """Central's heartbeat to every scheme: with those on duty for it."""

    def status(scheme: int) -> CentralStatus:
        return CentralStatus(
            boot_id=boot_id,
            at=now_at,
            expires_at=now_at + timing.status_valid,
            on_duty=tuple(dict.fromkeys(one.role for one in on_duty if one.is_for(scheme))),
            sequence=sequence,
        )

    return [PublishStatus(scheme.slug, status(scheme.number)) for scheme in directory.schemes.values()]


def acknowledgement_of(entry: ActionEntry, incident: Incident) -> tuple[Role, AnswerState, str] | None:
    """What the presser is told of an applied action: role, state, a name of at most nine bytes; ``None`` = nothing."""
    state, by = _ANSWERS.get(entry.kind), entry.by
    # Answering a second press does not call back the person on the way.
    if state is not None and incident.state == "on-the-way":
        state, by = AnswerState.ON_THE_WAY, incident.coming
    if by is not None and by.role == WATCHLINK_ROLE:
        # Older nodes do not know this role: they are told what they were before there was one.
        by = Person(Role.CO_ORDINATOR.slug, by.name)
    role = Role.by_slug(by.role) if by is not None else None
    return None if state is None or by is None or role is None else (role, state, short_name(by.name))


class Outbound(Record):
    """Who is owed what, and what may still be sent this second."""

    _timing: Timing
    # A state that cannot be told costs only itself, and never everyone's answers.
    _spared: Spared
    _sequence: int = 0
    _owed_syncs: Table[NodeId, tuple[str, tuple[int, ...]]] = field(default_factory=Table)
    _owed_directories: Table[NodeId, None] = field(default_factory=Table)
    # Thousands of answers carry the same states: each is kept with its revision, directory and time.
    _states: Table[tuple[FrameId, str], tuple[int, int, datetime, IncidentState]] = field(default_factory=Table)
    # In this second.
    _states_sent: int = 0
    _bytes_sent: int = 0

    def tick(self) -> None:
        """Begin a new second's budget."""
        self._states_sent = self._bytes_sent = 0

    def next_sequence(self) -> int:
        """The number of the next status or sync answer; it only rises within one run."""
        self._sequence += 1
        return self._sequence

    def owe_sync(self, node: NodeId, nonce: str, missing: tuple[int, ...] = ()) -> None:
        """A node asked; its last question counts. ``missing``: counters of its receipted frames that are not here."""
        self._owed_syncs[node] = (nonce, missing)

    def owe_directory(self, node: NodeId) -> None:
        """A node has an older directory."""
        self._owed_directories[node] = None

    def drain_syncs(
        self,
        nodes: Nodes,
        *,
        incidents: Incidents,
        directory: Directory,
        boot_id: str,
        highest: dict[NodeId, int],
        now_at: datetime,
    ) -> list[SendSyncAnswer]:
        """Answers to as many nodes as the budget allows now."""
        answers = []
        for node in tuple(self._owed_syncs):
            if self._states_sent >= SYNC_STATES_PER_TICK:
                break
            record = nodes.find(node)
            if record is None or record.sender.is_revoked:
                del self._owed_syncs[node]
                continue
            if record.sync_sent_at is not None and now_at - record.sync_sent_at < self._timing.sync_answer_every:
                continue
            nonce, missing = self._owed_syncs.pop(node)
            record.sync_sent_at = now_at
            found, is_all = self._incidents_for(record, incidents, directory, now_at)
            self._states_sent += 1 + len(found)
            answer = SyncAnswer(
                boot_id=boot_id,
                counter_floor=highest.get(node, 0),
                incidents=tuple(found),
                nonce=nonce,
                at=now_at.replace(microsecond=now_at.microsecond // 1000 * 1000),
                sequence=self.next_sequence(),
                revision=incidents.revision,
                missing=missing[:RECEIPTED_MAX],
                more=bool(incidents.left_open) or not is_all,
                speaks=SPEAKS,
            )
            answers.append(SendSyncAnswer(node, answer))
        return answers

    def drain_directories(
        self, nodes: Nodes, directory: Directory, data: bytes, now_at: datetime
    ) -> list[SendDirectory]:
        """Directories for as many nodes as the budget allows; at least one each second, however large."""
        sent = []
        for node in tuple(self._owed_directories):
            if self._bytes_sent >= self._timing.directory_bytes_per_tick:
                break
            record = nodes.find(node)
            del self._owed_directories[node]
            is_current = record is not None and (record.directory_serial or 0) >= directory.serial
            if record is None or record.sender.is_revoked or is_current or not data:
                continue
            if (
                record.directory_sent_at is not None
                and now_at - record.directory_sent_at < self._timing.directory_resend
            ):
                continue
            record.directory_sent_at = now_at
            self._bytes_sent += len(data)
            sent.append(SendDirectory(node, data))
        return sent

    def _incidents_for(
        self, record: NodeRecord, incidents: Incidents, directory: Directory, now_at: datetime
    ) -> tuple[list[IncidentState], bool]:
        """Own open ones, own closed ones, then a fair share of the schemes' open ones; and whether these are all."""
        own = sorted(incidents.of(record.node), key=lambda i: (not i.is_open, -i.revision))[:INCIDENTS_MAX]
        chosen = [*own, *_fairly(record, incidents, INCIDENTS_MAX - len(own))]
        found = []
        for incident in chosen:
            schemes = [number for number in incident.schemes if number in record.sender.schemes] or incident.schemes
            slugs = slugs_of(tuple(schemes), directory)
            state = self._state_of(incident, slugs[0], directory, now_at) if slugs else None
            if state is not None:
                found.append(state)
        return found, len(found) == len(chosen) < INCIDENTS_MAX

    def _state_of(self, incident: Incident, slug: str, directory: Directory, now_at: datetime) -> IncidentState | None:
        key, of = (incident.id, slug), (incident.revision, directory.serial)
        revision, serial, made_at, state = self._states.get(key, (0, 0, now_at, None))
        if state is None or (revision, serial) != of or abs(now_at - made_at) >= STATE_KEPT:
            if len(self._states) >= STATES_KEPT_MAX:
                self._states.clear()
            make = partial(state_of, incident, slug, directory, now_at + self._timing.incident_valid)
            state = self._spared(make, incident.id, incident.id.node)
            if state is not None:
                self._states[key] = (*of, now_at, state)
        return state


def _fairly(record: NodeRecord, incidents: Incidents, room: int) -> list[Incident]:
    """Others' that it is warned of: if there are too many, the first few of each sender first.

    So no flood hides another's attack. Each sender's few are looked for only then, and not among all that it has.
    """
    schemes = record.sender.schemes
    some = list(islice((one for one in incidents.warned(schemes) if one.id.node != record.node), room))
    if len(some) < room or max(Counter(one.id.node for one in some).values(), default=0) <= EACH_NAMED_FIRST:
        return some
    first = [one for one in incidents.first_of_each(schemes, EACH_NAMED_FIRST) if one.id.node != record.node]
    named = {one.id for one in first}
    return [*first, *(one for one in some if one.id not in named)][:room]
