"""``watchlink node renew``: a look at each certificate of this unit, and a new one where its moment has come.

A timer runs it every hour. What comes of it is for the log, and in ``renewal.json`` for the next run. It touches
nothing that the running node holds: that one loads the new files when it next connects.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from node.config import NodeConfig, load_config
from node.renewal.asking import NotRenewedError, Service
from node.renewal.renewing import Own, due_at, life_of, renew
from runtime.atomic import PRIVATE, write_atomic
from runtime.config import ConfigError
from runtime.key_pair import KeyPair
from wire.ids import node_text
from wire.renewal import Tries, is_late

DONE: Final = 0
FAILED: Final = 1
NOTES: Final = "renewal.json"


def renew_all(config_file: Path, version: str, *, is_forced: bool, now: datetime | None = None) -> int:
    """Renew what is due, or everything if ``is_forced``; returns the exit status, with a line for each certificate.

    Raises:
        ConfigError: the configuration cannot be used, or ``is_forced`` and it names no enrolment service.
    """
    now = now or datetime.now(UTC)
    config = load_config(config_file, version, now)
    if not config.enrolment.host:
        said = f"{config_file}: key enrolment.host is missing, so an engineer has to carry new certificates here"
        if is_forced:
            raise ConfigError(said)
        _say(f"{said}.")
        return DONE
    service = Service(config.enrolment.host, config.enrolment.port, Path(config.link.ca_file))
    notes_file = config.state_dir / NOTES
    notes = _read(notes_file)
    status = DONE
    for own in _owned(config):
        tries = notes.get(own.name, Tries())
        try:
            at = now if is_forced else due_at(own, tries, now)
            if at > now:
                _say(f"{own.name}: the certificate is renewed at {at:%d %b %Y %H:%M} UTC, or soon after.")
                continue
            ends_at = renew(own, service.ask, now)
            notes[own.name] = Tries()
            _say(f"{own.name}: renewed. The new certificate lasts until {ends_at:%d %b %Y}.")
        except (NotRenewedError, OSError) as e:
            status = FAILED
            notes[own.name] = Tries(tries.failures + 1, now)
            print(_failure(own, e, now), file=sys.stderr)  # noqa: T201 - a command's answer
    try:
        config.state_dir.mkdir(mode=0o700, exist_ok=True)
        write_atomic(notes_file, msgspec.json.encode(notes), PRIVATE)
    except OSError as e:
        print(f"{notes_file} cannot be written: {e.strerror}.", file=sys.stderr)  # noqa: T201
        return FAILED
    return status


def _owned(config: NodeConfig) -> list[Own]:
    """The node's certificate, and the gallery's if it has one."""
    link, node = config.link, node_text(config.settings.node)
    own = KeyPair(Path(link.certificate_file), Path(link.key_file))
    gallery = KeyPair(own.certificate_file.with_name("gallery.pem"), own.key_file.with_name("gallery.key"))
    pairs = {False: own}
    if gallery.certificate_file.exists() or gallery.key_file.exists():
        pairs[True] = gallery
    return [
        Own(
            node=node,
            is_for_gallery=is_for_gallery,
            pair=pair,
            ca_file=Path(link.ca_file),
            signing_key=config.signing_key,
        )
        for is_for_gallery, pair in pairs.items()
    ]


def _failure(own: Own, error: Exception, now: datetime) -> str:
    why = f"the disk refuses ({error})" if isinstance(error, OSError) else str(error)
    said = f"{own.name}: NOT renewed: {why}. It is tried again within hours."
    try:
        ends_at = life_of(own.pair.certificate_file).ends_at
    except NotRenewedError:
        return said
    if not is_late(ends_at, now):
        return said
    verb = "ended" if ends_at <= now else "ends"
    return f"{said} IT IS LATE: the certificate {verb} on {ends_at:%d %b %Y}; call the fleet's engineer."


def _read(file: Path) -> dict[str, Tries]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Tries])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}  # Without them it is merely asked a little sooner.


def _say(line: str) -> None:
    print(line)  # noqa: T201 - a command's answer
