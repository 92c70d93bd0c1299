"""``watchlink enrol``: let new nodes claim their identity, and make the key that adds them to the directory."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from runtime.atomic import PRIVATE, PUBLIC, write_atomic, write_beside
from runtime.config import ConfigError
from runtime.key_file import read_key
from runtime.logs import FactLog, set_up_logging
from runtime.service import Service
from runtime.stop_request import stop_request
from wire.fingerprints import key_fingerprint
from wire.signing import KEY_BYTES, SigningKey

STATUS_FAILED: Final = 1
STATUS_CONFIG: Final = 2
LIST_WARNING: Final = timedelta(days=20)
"""As ``watchlink central check``. The fleet renews the other lists every day, too."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or the service until SIGTERM or SIGINT.

    Returns 0; 1 if it cannot go on; 2 for a configuration that cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog="watchlink enrol", description="Let new nodes claim their identity with the code on their label."
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="enrol.toml")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", help="default: run the service", dest="what")
    key = commands.add_parser("key", help="make the delegate's key, which adds and strikes nodes; once")
    key.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="for delegate.key and delegate.pub")
    renew = commands.add_parser(
        "renew-list",
        help="make and prove a new revocation list of nodes, on the broker's machine; a timer runs it daily",
    )
    renew.add_argument("--broker", type=Path, required=True, metavar="FOLDER", help="folder of the broker's files")
    renew.add_argument(
        "--reload-command",
        default="",
        metavar="COMMAND",
        help="makes the broker read its files again; default: a signal to mosquitto.service",
    )
    join = commands.add_parser(
        "join-lists",
        help="print the fleet's revocation lists with all that was revoked here; 'watchlink central install' runs it",
    )
    join.add_argument("folder", type=Path, metavar="FOLDER", help="folder with the fleet's lists and those here")
    commands.add_parser(
        "copy-register",
        help="print all that the register holds, to be kept on another machine; it holds no key",
    )
    commands.add_parser(
        "restore-register",
        help="after the machine was lost: fill the new register from a copy on standard input",
    )
    for listed in commands._choices_actions:  # noqa: SLF001 - only there argparse keeps what the list of commands says
        # Whoever asks for a command's help reads what it does there, too.
        said = listed.help or ""
        commands.choices[listed.dest].description = f"{said[:1].upper()}{said[1:]}."
    given = parser.parse_args(arguments)
    if given.what == "key":
        return _make_key(given.to)
    if given.config is None:
        parser.error("give --config with enrol.toml")
    if given.what == "renew-list":
        return _renew_list(given.config, given.broker, given.reload_command)
    if given.what == "join-lists":
        return _join_lists(given.config, given.folder)
    if given.what == "copy-register":
        return _copy_register(given.config)
    if given.what == "restore-register":
        return _restore_register(given.config)
    return _run(given.config)


def _renew_list(config: Path, broker: Path, reload_command: str) -> int:
    from enrolment.config import load_configuration  # noqa: PLC0415
    from enrolment.list_renewal import ListRenewalError, renew_list_of  # noqa: PLC0415
    from enrolment.register import RegisterError  # noqa: PLC0415
    from enrolment.register_copy import keep_copy  # noqa: PLC0415

    try:
        configuration = load_configuration(config)
        ends_at = renew_list_of(configuration, broker, reload_command)
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except (ListRenewalError, RegisterError, OSError) as e:
        return _refuse(e, STATUS_FAILED)
    print("The revocation list of nodes is renewed and proven.")  # noqa: T201
    status = 0
    try:
        keep_copy(configuration)
    except (ConfigError, RegisterError, OSError) as e:
        status = _refuse(f"no copy of the register is kept for central's backups: {e}", STATUS_FAILED)
    if ends_at - datetime.now(UTC) < LIST_WARNING:
        return _refuse(
            f"ANOTHER LIST ENDS on {ends_at:%d %b %Y}: then the broker refuses everybody of that issuer, central too."
            " Run 'watchlink fleet renew-crl' on the fleet's machine",
            STATUS_FAILED,
        )
    return status


def _join_lists(config: Path, folder: Path) -> int:
    from enrolment.config import load_configuration  # noqa: PLC0415
    from enrolment.list_renewal import ListRenewalError, join_lists  # noqa: PLC0415
    from enrolment.register import RegisterError  # noqa: PLC0415

    try:
        sys.stdout.write(join_lists(load_configuration(config), folder).decode("ascii"))
    except (ConfigError, ListRenewalError, RegisterError, OSError) as e:
        return _refuse(e, STATUS_FAILED)
    return 0


def _copy_register(config: Path) -> int:
    from enrolment.config import load_configuration  # noqa: PLC0415
    from enrolment.register import RegisterError  # noqa: PLC0415
    from enrolment.register_copy import copy_of  # noqa: PLC0415

    try:
        sys.stdout.buffer.write(copy_of(load_configuration(config)))
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except (RegisterError, OSError) as e:
        return _refuse(e, STATUS_FAILED)
    return 0


def _restore_register(config: Path) -> int:
    from enrolment.config import load_configuration  # noqa: PLC0415
    from enrolment.register import RegisterError  # noqa: PLC0415
    from enrolment.register_copy import put_back  # noqa: PLC0415

    try:
        found = put_back(load_configuration(config), sys.stdin.buffer.read())
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except (RegisterError, OSError) as e:
        return _refuse(e, STATUS_FAILED)
    print(f"Put back: {len(found.enrolled)} enrolled, {len(found.certificates)} certificates.")  # noqa: T201
    print("Now restart watchlink-enrol, and start watchlink-enrol-list: it revokes again who was struck.")  # noqa: T201
    return 0


def _make_key(folder: Path) -> int:
    secret, public = folder / "delegate.key", folder / "delegate.pub"
    try:
        # Without the public half it was cut short: nobody knows the key yet.
        if public.exists() or not secret.exists():
            beside = write_beside(secret, secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n", PRIVATE)
            try:
                # Never replaced: the authority knows the one that is there.
                secret.hardlink_to(beside)
            finally:
                beside.unlink()
        raw = SigningKey(read_key(secret, "the delegate's key")).public.raw
        write_atomic(public, raw.hex().encode() + b"\n", PUBLIC)
    except OSError as e:
        return _refuse(f"{e.filename2 or e.filename}: {e.strerror}", STATUS_FAILED)
    except ConfigError as e:
        return _refuse(e, STATUS_FAILED)
    print(f"{public} is the public half. Carry it to the fleet's machine, and there run:")  # noqa: T201 - a command's answer
    print("  watchlink fleet delegate --dir TOWN delegate.pub")  # noqa: T201
    print(f"It shows this fingerprint: {key_fingerprint(raw)}")  # noqa: T201
    return 0


def _run(config: Path) -> int:
    set_up_logging()
    should_stop = stop_request()
    # Imported late, so that a signal during these slow imports is not lost.
    from enrolment.app import EnrolmentService  # noqa: PLC0415
    from enrolment.config import load_configuration  # noqa: PLC0415
    from enrolment.register import RegisterError  # noqa: PLC0415

    try:
        EnrolmentService(load_configuration(config), FactLog(), Service()).run(should_stop)
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except (RegisterError, OSError, RuntimeError) as e:
        return _refuse(e, STATUS_FAILED)
    return 0


def _refuse(why: object, status: int) -> int:
    sys.stderr.write(f"watchlink enrol: {why}\n")
    return status
