"""``node.toml`` as it is first written: by the fleet for a node whose keys it makes, or by a node that made its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from wire.limits import NAME_CHARS_MAX
from wire.text import display_text

FAKE_PROFILE: Final = "fake"


def node_toml(
    *,
    node: str,
    premises: str,
    place: str,
    schemes: Iterable[int],
    profile: str,
    broker: tuple[str, int],
    fake_socket: str = "",
    enrolment: tuple[str, int] | None = None,
    gallery: tuple[str, str] | None = None,
) -> str:
    """A node's configuration.

    Args:
        node: its number, eight hexadecimal digits.
        premises: its name.
        place: where it is.
        schemes: their numbers.
        profile: its hardware.
        broker: host and port.
        fake_socket: of a fake board; left out for other profiles.
        enrolment: host and port of the service that renews its certificates; ``None`` = an engineer carries them.
        gallery: socket at which it is heard, and its user; ``None`` = there is none on the unit.
    """
    renewed = "" if enrolment is None else f"[enrolment]\nhost = {toml_text(enrolment[0])}\nport = {enrolment[1]}\n"
    board = f"fake_socket = {toml_text(fake_socket)}\n" if profile == FAKE_PROFILE and fake_socket else ""
    heard = ""
    if gallery is not None:
        heard = f"[gallery]\nsocket = {toml_text(gallery[0])}\nuser = {toml_text(gallery[1])}\n\n"
    return f"""\
# {display_text(premises, NAME_CHARS_MAX)}. Paths are relative to this folder; docs/configuration.md explains every key.
state_dir = "state"

[identity]
node = {toml_text(node)}
premises = {toml_text(premises)}
place = {toml_text(place)}
schemes = [{", ".join(map(str, schemes))}]
signing_key_file = "signing.key"
authority_file = "authority.pub"
directory_file = "directory.json"

[mqtt]
{mqtt_toml(*broker)}
[hardware]
profile = {toml_text(profile)}
{board}
{renewed}{heard}# A radio beside this node: uncomment these lines and say how it is attached (docs/hardware.md).
# [radio]
# driver = "none"
# licence = ""
"""


def gallery_toml(*, node: str, office: tuple[str, int], state_dir: str, socket: str = "") -> str:
    """The configuration of a node's gallery. Its identity lies beside it.

    Args:
        node: its number, eight hexadecimal digits.
        office: host and port of the office's machine port.
        state_dir: where it keeps what it holds.
        socket: of the node.
    """
    return f"""\
# The gallery of {node}. Paths are relative to this folder; docs/configuration.md explains every key.
state_dir = {toml_text(state_dir)}

[identity]
node = {toml_text(node)}

[office]
host = {toml_text(office[0])}
port = {office[1]}

[node]
socket = {toml_text(socket)}
"""


def mqtt_toml(host: str, port: int) -> str:
    """The keys of ``[mqtt]``, for a node and for central."""
    return f"""\
host = {toml_text(host)}
port = {port}
ca_file = "ca.pem"
certificate_file = "client.pem"
key_file = "client.key"
keepalive_s = 15
"""


def toml_text(value: str) -> str:
    """A string in TOML, of characters without controls (TOML 1.0, "String": such a JSON string is one)."""
    return json.dumps(value, ensure_ascii=False)
