"""``watchlink node``: run the node, check it, release its transmit key or try its radio."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from runtime.config import ConfigError
from runtime.loading import loading

STATUS_WRONG_CONFIGURATION: Final = 2
_DEFAULT_CONFIG: Final = Path("/var/lib/watchlink-node/node.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; 2 = bad configuration, with one sentence that says why."""
    given = _parser().parse_args(arguments)
    try:
        options = {name: value for name, value in vars(given).items() if name not in ("run", "config")}
        status: int = given.run(getattr(given, "config", _DEFAULT_CONFIG), **options)
    except ConfigError as e:
        print(f"watchlink node: {e}", file=sys.stderr)  # noqa: T201 - a command's answer
        return STATUS_WRONG_CONFIGURATION
    return status


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    # No default here: a subcommand's would overwrite a --config given before it.
    shared.add_argument(
        "--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help=f"node.toml; default: {_DEFAULT_CONFIG}"
    )
    parser = argparse.ArgumentParser(
        prog="watchlink node",
        description="Run the node in a shop or pub; or run a command.",
        parents=[shared],
    )
    parser.set_defaults(run=_run)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", help="default: run the node")
    _add_check(commands, shared)
    _add_enrol(commands, shared)
    install = commands.add_parser("install", help="put this unit in place, or bring it up to date")
    install.set_defaults(run=_install)
    reach = commands.add_parser("reach", help="on an image: let this unit's programs reach whom they are to")
    reach.set_defaults(run=_install)
    unkey = commands.add_parser(
        "unkey",
        parents=[shared],
        help="release the transmit key, even if the node hangs",
        description="Release the transmit key, even if the node hangs. The node's unit runs this before each start and"
        " after each end.",
    )
    unkey.set_defaults(run=_unkey)
    renew = commands.add_parser(
        "renew",
        parents=[shared],
        help="renew this unit's certificates, if they are due",
        description="Renew this unit's certificates once half their life is over. A timer runs it every hour. The node"
        " goes on meanwhile, and uses a new certificate when it next connects.",
        epilog="Exit status: 0 renewed or not due yet; 1 it did not work (it says why, and tries again); 2 the"
        " configuration cannot be used.",
    )
    renew.add_argument("--now", dest="is_forced", action="store_true", help="renew them now, even if not due")
    renew.set_defaults(run=_renew)
    radio_check = commands.add_parser(
        "radio-check",
        parents=[shared],
        help="test the radio step by step; stop the node first",
        description="Test the radio step by step: its devices, what is heard and, with --transmit, a tone and a"
        " sentence on the air. Stop the node first.",
    )
    radio_check.add_argument(
        "--seconds", type=_seconds, default=10, metavar="S", help="how many seconds to listen, 2 to 600; default: 10"
    )
    radio_check.add_argument(
        "--transmit", action="store_true", help="transmit a tone and a sentence; needs radio.licence"
    )
    radio_check.add_argument("--json", dest="as_json", action="store_true", help="one JSON object for each step")
    radio_check.set_defaults(run=_radio_check)
    return parser


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    check = commands.add_parser(
        "check",
        parents=[shared],
        help="say what is right and wrong on this unit, and what to do",
        description="Say what is right and wrong on this unit, with a line for each part, and what to do. It may run"
        " while the node runs, and disturbs nothing; it sees more while the node is stopped. Run it as root.",
        epilog="Exit status: 0 all right; 1 something is wrong; 2 the configuration or a part could not be looked at.",
    )
    check.add_argument("--json", dest="as_json", action="store_true", help="one JSON object for each part")
    check.set_defaults(run=_check)
    diagnose = commands.add_parser(
        "diagnose",
        parents=[shared],
        help="make one file for the engineer, without names, photographs or keys",
        description="Make one file for the engineer: what 'node check' finds, versions, the log, the configuration and"
        " counts. It leaves out names of people and premises, addresses, photographs and keys. It needs no network."
        " Run it as root.",
        epilog="Exit status: 0 made; 1 made, but something is missing in it (it says what); 2 nothing was written.",
    )
    diagnose.add_argument(
        "--to", dest="folder", type=Path, required=True, metavar="FOLDER", help="where to put it, such as a USB stick"
    )
    diagnose.set_defaults(run=_diagnose)


def _add_enrol(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    enrol = commands.add_parser(
        "enrol",
        parents=[shared],
        help="make this new unit a node, with the seed on its card",
        description="Make this unit's keys, claim its identity with the code in the seed, and delete the seed. Show its"
        " progress, on the panel too, and go on trying until it is done. It may be ended at any moment.",
        epilog="Exit status: 0 the node can start; 1 not yet; 2 the command or the configuration is wrong.",
    )
    enrol.add_argument("--seed", dest="seed_file", type=Path, required=True, metavar="FILE", help="watchlink-seed.json")
    enrol.add_argument(
        "--profile",
        default="ssd1309-128x64",
        metavar="NAME",
        help="hardware profile, for the panel; default: %(default)s",
    )
    enrol.add_argument("--fake-socket", type=Path, metavar="SOCKET", help="for the profile 'fake': socket of its board")
    enrol.add_argument("--once", dest="is_once", action="store_true", help="try once, and say what is wrong")
    enrol.set_defaults(run=_enrol)


def _seconds(text: str) -> int:
    if not text.isdecimal() or not 2 <= int(text) <= 600:  # noqa: PLR2004 - less tells nothing, more is a slip
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 2 to 600")
    return int(text)


def _run(config_file: Path) -> int:
    # Imported here: 'check' and '--help' need no hardware libraries.
    with loading():
        from node.app import NodeApp  # noqa: PLC0415
        from node.config import load_config  # noqa: PLC0415
        from runtime.logs import FactLog, set_up_logging  # noqa: PLC0415
        from runtime.service import Service  # noqa: PLC0415

    set_up_logging()
    _settle(config_file)
    # Once alone, and before anything uses them: a trial of settings that has begun is taken for one cut short.
    config = load_config(config_file, _version(), is_start=True)
    _log_warnings(config.warnings)
    try:
        app = NodeApp(config, FactLog(), Service())
    except ConfigError as e:
        raise ConfigError(f"{config_file}: {e}") from e
    return app.run()


def _install(_config_file: Path) -> int:
    # Listed here; where it is the first word, the installation's own program does it.
    raise ConfigError("write 'watchlink node install' or 'watchlink node reach', and options after that")


def _settle(config_file: Path) -> None:
    """Finish a renewal that a power cut interrupted. A disk that refuses keeps no node down.

    Of the configuration it needs where two files are: settings from the fleet, which may be wrong, are not looked at.
    """
    from node.config import NodeFile  # noqa: PLC0415
    from runtime.config import load_toml  # noqa: PLC0415
    from runtime.key_pair import KeyPair, settle_pair  # noqa: PLC0415

    link = load_toml(config_file, NodeFile).mqtt.resolved(config_file.absolute().parent)
    try:
        settle_pair(KeyPair(Path(link.certificate_file), Path(link.key_file)))
    except OSError as e:
        _log_warnings([f"a new certificate cannot be put in place: {e}"])


def _check(config_file: Path, *, as_json: bool) -> int:
    from node.check.report import check  # noqa: PLC0415

    return check(config_file, _version(), as_json=as_json)


def _diagnose(config_file: Path, *, folder: Path) -> int:
    from node.diagnosis.bundle import diagnose  # noqa: PLC0415

    return diagnose(config_file, _version(), folder)


def _renew(config_file: Path, *, is_forced: bool) -> int:
    from node.renewal.command import renew_all  # noqa: PLC0415

    return renew_all(config_file, _version(), is_forced=is_forced)


def _enrol(config_file: Path, *, seed_file: Path, profile: str, fake_socket: Path | None, is_once: bool) -> int:
    from node.enrol.command import enrol  # noqa: PLC0415
    from node.enrol.panel import telling  # noqa: PLC0415
    from runtime.logs import set_up_logging  # noqa: PLC0415
    from runtime.stop_request import stop_request  # noqa: PLC0415

    set_up_logging()
    should_stop = stop_request()
    with telling(profile, fake_socket) as tell:
        return enrol(
            seed_file,
            config_file.absolute(),
            _version(),
            tell=tell,
            wait=lambda seconds: is_once or should_stop.wait(seconds),
        )


def _unkey(config_file: Path) -> int:
    from node.hw.radio.unkey import unkey  # noqa: PLC0415

    return unkey(config_file)


def _radio_check(config_file: Path, *, seconds: int, transmit: bool, as_json: bool) -> int:
    from node.radio_check import radio_check  # noqa: PLC0415

    return radio_check(config_file, _version(), seconds=seconds, transmit=transmit, as_json=as_json)


def _log_warnings(warnings: Sequence[str]) -> None:
    import logging  # noqa: PLC0415

    for warning in warnings:
        logging.getLogger(__name__).warning("%s", warning)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("watchlink")
    except PackageNotFoundError:
        return ""
