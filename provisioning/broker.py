"""Mosquitto's configuration and ACL, as text. Reads and writes no files.

Rights follow :mod:`wire.topics`. The broker takes the user name from the client certificate's common name and the
client id from the user name, so no certificate can send, listen or connect as another. Every right is written out
for the node that has it. A revoked certificate is named with no right at all, which silences a session that is open,
and the revocation list refuses its next connection. A certificate that was never listed can connect but do nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct

from wire.ids import CENTRAL, CENTRAL_ALERTS_CLIENT, NodeId, node_text
from wire.limits import PACKET_BYTES_MAX
from wire.topics import (
    ALERTS_LANE,
    ALL_FRAMES,
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
"""Common name of the certificates that prove a revocation; has one right, new with every ACL."""

QUEUED_MESSAGES_MAX: Final = 6_000
"""Each takes about 105 bytes per absent member, however small: 400 members fit in the memory below. Mosquitto's
1000 silently drops a storm of 5,000; 0 makes 2.0.21 disconnect a client whose publish is denied."""
QUEUED_BYTES_MAX: Final = 8 * 1024 * 1024
"""Per waiting client: a whole directory in parts, or the frames of a storm."""
MEMORY_BYTES_MAX: Final = 256 * 1024 * 1024
"""For messages and sessions; TLS comes on top."""


class Member(Struct, frozen=True):
    """A node as the ACL sees it."""

    node: NodeId
    schemes: tuple[str, ...]
    is_revoked: bool = False


class BrokerSettings(Struct, frozen=True):
    """The settings that differ between brokers.

    Attributes:
        folder: contains ``acl``, ``ca.pem``, ``server.pem``, ``server.key`` and ``crl.pem``.
        state_folder: for sessions; must exist and belong to the broker.
        bind: the address it listens on.
        port: 1 … 65535.
        user: the user it runs as if root starts it; otherwise it keeps its own.
        pid_file: where it writes its process id, or ``None``.
    """

    folder: PurePosixPath
    state_folder: PurePosixPath
    bind: str
    port: int
    user: str
    pid_file: PurePosixPath | None = None


def proof_topic(generation: int) -> str:
    """The topic that :data:`PROOF_USER` may write under the ACL of that generation, and under no other."""
    return f"{PREFIX}/proof/{generation}"


def render_configuration(settings: BrokerSettings) -> str:
    """``mosquitto.conf`` for Mosquitto 2.0."""
    folder = settings.folder
    pid_file = f"pid_file {settings.pid_file}\n" if settings.pid_file else ""
    return f"""\
# Made by 'watchlink fleet'; changes here are lost. docs/runbook.md says how to run it.
per_listener_settings false
user {settings.user}
{pid_file}
# Admission: only our CA's certificates, TLS 1.3, not revoked. Name and client id come from the certificate.
listener {settings.port} {settings.bind}
protocol mqtt
tls_version tlsv1.3
cafile {folder / "ca.pem"}
certfile {folder / "server.pem"}
keyfile {folder / "server.key"}
crlfile {folder / "crl.pem"}
require_certificate true
use_identity_as_username true
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


def render_acl(members: Iterable[Member], schemes: Sequence[str], generation: int = 0) -> str:
    """The ACL: central's rights, each member's own, and nothing else.

    Args:
        members: the nodes, including revoked ones.
        schemes: slugs of all schemes, for central.
        generation: rises with every ACL, to prove which one the broker obeys.
    """
    blocks = [
        "# Made by 'watchlink fleet'; changes here are lost. Anything not allowed here is forbidden.",
        _block(PROOF_USER, [f"write {proof_topic(generation)}"]),
        _block(
            node_text(CENTRAL),
            [
                f"read {ALL_FRAMES}",
                f"read {ALL_UP}",
                f"write {PREFIX}/node/+/down/+",
                *(f"write {topic}" for scheme in schemes for topic in (IncidentTopic(scheme), CentralTopic(scheme))),
            ],
        ),
        _block(
            CENTRAL_ALERTS_CLIENT,
            [
                *(f"read {topic}" for topic in ALERTS_LANE),
                *(f"write {PREFIX}/node/+/down/{channel}" for channel in (Down.RECEIPT, Down.ACK, Down.AIR)),
                # What it sends itself, to see that it still gets anything.
                f"read {DownTopic(CENTRAL, Down.RECEIPT)}",
            ],
        ),
        *(_block(node_text(member.node), _rights(member)) for member in members),
    ]
    return "\n".join(blocks)


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
