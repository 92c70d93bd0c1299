"""Mosquitto's configuration and ACL, as text. Reads and writes no files.

Rights follow :mod:`wire.topics`. The broker takes the user name from the client certificate's whole subject and the
client id from the user name, so no certificate can send, listen or connect as another: the common name alone would be
believed whoever signed it. Every right is written out for the node that has it. A revoked certificate is named with no
right at all, which silences a session that is open, and the revocation list refuses its next connection. A certificate
that was never listed can connect but do nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct

from wire.ids import CENTRAL, NodeId, node_text
from wire.limits import PACKET_BYTES_MAX
from wire.subjects import SERVICES
from wire.topics import (
    ALERTS_LANE,
    ALL_FRAMES,
    ALL_HEALTH,
    ALL_UP,
    PREFIX,
    CentralTopic,
    Down,
    DownTopic,
    FrameTopic,
    IncidentTopic,
    all_down,
    scheme_frames,
)

PROOF_USER: Final = "proof"
"""Common name of the certificates that prove a revocation: they may write one topic, new with every ACL. Those of the
services' issuer also hear what nodes say of themselves."""
BELIEVED: Final = "believed"
"""Below the proof's topic: what the common name alone may write, for a broker that believes it."""

QUEUED_MESSAGES_MAX: Final = 6_000
"""Each takes about 105 bytes per absent member, however small: 400 members fit in the memory below. Mosquitto's
1000 silently drops a storm of 5,000; 0 makes 2.0.21 disconnect a client whose publish is denied."""
QUEUED_BYTES_MAX: Final = 8 * 1024 * 1024
"""Per waiting client: a whole directory in parts, or the frames of a storm."""
MEMORY_BYTES_MAX: Final = 256 * 1024 * 1024
"""For messages and sessions; TLS comes on top."""


class Member(Struct, frozen=True):
    """A node as the ACL sees it.

    Attributes:
        node: its number, which is in its topics.
        schemes: slugs.
        users: the names that the broker may know it by.
        is_revoked: it has no right under any of them.
    """

    node: NodeId
    schemes: tuple[str, ...]
    users: tuple[str, ...]
    is_revoked: bool = False


class Services(Struct, frozen=True):
    """The names that the broker may know the others by, as for :class:`Member`.

    Attributes:
        central: central.
        alerts: its connection for alerts.
        proof: certificates that prove a revocation.
    """

    central: tuple[str, ...]
    alerts: tuple[str, ...]
    proof: tuple[str, ...]


class BrokerSettings(Struct, frozen=True):
    """The settings that differ between brokers.

    Attributes:
        folder: contains ``acl``, ``ca.pem``, ``server.pem``, ``server.key`` and ``crl.pem``.
        state_folder: for sessions; must exist and belong to the broker.
        bind: the address it listens on.
        port: 1 … 65535.
        user: the user it runs as if root starts it; otherwise it keeps its own.
        pid_file: where it writes its process id, or ``None``.
        is_subject_read: it takes the whole subject as user name; otherwise the common name, as before there were
            issuers. It reads this only when it starts.
    """

    folder: PurePosixPath
    state_folder: PurePosixPath
    bind: str
    port: int
    user: str
    pid_file: PurePosixPath | None = None
    is_subject_read: bool = True


def proof_topic(generation: int) -> str:
    """The topic that :data:`PROOF_USER` may write under the ACL of that generation, and under no other."""
    return f"{PREFIX}/proof/{generation}"


def render_configuration(settings: BrokerSettings) -> str:
    """``mosquitto.conf`` for Mosquitto 2.0."""
    folder = settings.folder
    pid_file = f"pid_file {settings.pid_file}\n" if settings.pid_file else ""
    name = "subject" if settings.is_subject_read else "identity"
    return f"""\
# Made by 'watchlink fleet'; changes here are lost. docs/runbook.md says how to run it.
per_listener_settings false
user {settings.user}
{pid_file}
# Admission: only our issuers' certificates, TLS 1.3, not revoked. User name and client id are the certificate's whole
# subject: of the common name alone nobody says who signed it. An issuer without a list in crl.pem is refused whole.
listener {settings.port} {settings.bind}
protocol mqtt
tls_version tlsv1.3
cafile {folder / "ca.pem"}
certfile {folder / "server.pem"}
keyfile {folder / "server.key"}
crlfile {folder / "crl.pem"}
require_certificate true
use_{name}_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file {folder / "acl"}

# Sessions survive a restart. They are saved at intervals, not at each change: saving rewrites every session, and with
# one save per change a storm of 5,000 presses took 46 s instead of less than one. A crash may lose what is queued here.
# Nothing depends on it: a frame is sent until central's receipt, and state is asked for. No session expires: at a
# SIGHUP 2.0.21 damages its own list of those that can, and crashes later (docs/adr/0019).
persistence true
persistence_location {settings.state_folder}/
autosave_on_changes false
autosave_interval 60
# The queue for an absent or slow client is limited in number and bytes. Beyond memory_limit the client that sends or
# receives is disconnected, which frees what was held for it: a member that listens to itself and does not read.
max_queued_messages {QUEUED_MESSAGES_MAX}
max_queued_bytes {QUEUED_BYTES_MAX}
memory_limit {MEMORY_BYTES_MAX}

# Limits. A larger packet ends its sender's connection; nothing relies on retained messages, so none are allowed.
max_packet_size {PACKET_BYTES_MAX}
retain_available false
max_topic_alias 0
# Mosquitto cannot limit a client's rate, only how many of its messages are in flight.
max_inflight_messages 100
# Twice what a node may ask for: 2.0.21 drops a client whose keepalive equals the maximum within a second.
max_keepalive 2400
sys_interval 0
set_tcp_nodelay true

log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true
log_timestamp_format %Y-%m-%dT%H:%M:%S%z
"""


def render_acl(members: Iterable[Member], schemes: Sequence[str], services: Services, generation: int = 0) -> str:
    """The ACL: central's rights, each member's own, and nothing else.

    Args:
        members: the nodes, including revoked ones.
        schemes: slugs of all schemes, for central.
        services: the other names.
        generation: rises with every ACL, to prove which one the broker obeys.
    """
    central = [
        f"read {ALL_FRAMES}",
        f"read {ALL_UP}",
        f"write {PREFIX}/node/+/down/+",
        *(f"write {topic}" for scheme in schemes for topic in (IncidentTopic(scheme), CentralTopic(scheme))),
    ]
    alerts = [
        *(f"read {topic}" for topic in ALERTS_LANE),
        *(f"write {PREFIX}/node/+/down/{channel}" for channel in (Down.RECEIPT, Down.ACK, Down.AIR)),
        # What it sends itself, to see that it still gets anything.
        f"read {DownTopic(CENTRAL, Down.RECEIPT)}",
    ]
    blocks = [
        "# Made by 'watchlink fleet'; changes here are lost. Anything not allowed here is forbidden.",
        _block(PROOF_USER, [f"write {proof_topic(generation)}/{BELIEVED}"]),
        *(_block(user, _of_proof(user, proof_topic(generation))) for user in services.proof),
        *(_block(user, central) for user in services.central),
        *(_block(user, alerts) for user in services.alerts),
        *(_block(user, _rights(member)) for member in members for user in member.users),
    ]
    return "\n".join(blocks)


def _of_proof(user: str, topic: str) -> list[str]:
    # To hear health is for the fleet's engineer alone: the nodes' issuer is on a machine with a network.
    return [f"write {topic}", *([f"read {ALL_HEALTH}"] if user.endswith(f",O={SERVICES}") else [])]


def _rights(member: Member) -> list[str]:
    if member.is_revoked:
        # Denials are checked first, so nothing elsewhere can give a revoked node a right.
        return ["deny #"]
    node = node_text(member.node)
    rights = [f"write {PREFIX}/node/{node}/up/+", f"read {all_down(member.node)}"]
    for scheme in member.schemes:
        rights += [
            f"write {FrameTopic(scheme, member.node)}",
            f"read {scheme_frames(scheme)}",
            f"read {IncidentTopic(scheme)}",
            f"read {CentralTopic(scheme)}",
        ]
    return rights


def _block(user: str, rights: Iterable[str]) -> str:
    return "\n".join([f"user {user}", *(f"topic {right}" for right in rights), ""])
