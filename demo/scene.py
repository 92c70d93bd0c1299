"""The scene to lie about: the script's premises, what is open there, and the numbers last used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

HART: Final = 1
PUB_WATCH: Final = 2
FLOOR_COUNTER: Final = 4_000_000_000
"""A counter that nobody has used, for invented frames."""


class Scene(Struct, frozen=True):
    """The roles, what is open, and the numbers last used.

    Attributes:
        victim: has ``incident`` open: answered, closed, pressed again, and now unanswered.
        answered: has ``answered_incident`` open, which is answered.
        pending: has pressed ``pending_alert`` and comes to the victim (``pending_response``); central knows neither.
        idle: of the other scheme; READY.
        dead: its program is killed; the page says so.
        thief: the liar has its signing key.
        schemes: slugs by number.
        incident_latest: the newest press in ``incident``; central has receipted it.
        test_incident: open, because a person has answered it; of a premises with nothing else open.
        pending_digest, response_digest: of the bytes of ``pending_alert`` and of ``pending_response``.
        idle_counter: the highest that ``idle`` has used.
        boot_id: of this run of central.
        runs: boot ids of the nodes, by node.
        revision: of ``incident``.
        revision_answered: of ``answered_incident``.
        central_counter: of central's last frame that was heard.
        sequence: of its last status.
        uptimes_ms: of the last health of each node.
        nonces: of a question of each node: long answered, or open (:mod:`demo.scripts.liar_questions`).
        directory: the sealed document.
        at: Unix time by which replayed messages had been sent.
    """

    victim: str
    answered: str
    pending: str
    idle: str
    dead: str
    thief: str
    schemes: Mapping[int, str]
    incident: str
    incident_latest: str
    answered_incident: str
    test_incident: str
    pending_alert: str
    pending_digest: bytes
    pending_response: str
    response_digest: bytes
    idle_counter: int
    boot_id: str
    runs: Mapping[str, str]
    revision: int
    revision_answered: int
    central_counter: int
    sequence: int
    uptimes_ms: Mapping[str, int]
    nonces: Mapping[str, str]
    directory: bytes
    at: int
