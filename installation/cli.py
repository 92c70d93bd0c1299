"""``watchlink central install``, ``check`` and ``take-bundle``."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from installation.check import check
from installation.errors import InstallError, PackError
from installation.install import NAME, Order, install
from installation.machine import Machine
from installation.pack import read_pack
from installation.places import BROKERS_PAIR
from installation.releases import take_bundle
from installation.steps import settle_pairs
from runtime.key_pair import Turn

FAILED: Final = 1
NOT_UNDERSTOOD: Final = 2
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_BUNDLE_BYTES_MAX: Final = 2**40
_STANDARD_INPUT: Final = Path("-")


def main(arguments: Sequence[str]) -> int:
    """``install …`` or ``check …``.

    Returns 0; 1 = it could not be done, or there is something to do; 2 = the request is invalid, or not root's.
    """
    options = _parser().parse_args(list(arguments))
    work = {"install": _install, "check": _check, "take-bundle": _take_bundle}[options.command]
    return run_as_root(f"watchlink central {options.command}", lambda: work(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="watchlink central")
    commands = parser.add_subparsers(required=True, dest="command")
    installing = commands.add_parser(
        "install",
        help="put broker, central and the office in place, or bring them up to date",
        description="Put broker, central and, if wanted, the office in place on this machine, or bring them up to date."
        " Run it again as often as you like: it changes only what is not as it should be, and says what.",
        epilog="Exit status: 0 done; 1 it could not be finished, run it again; 2 this pack or request cannot be used.",
    )
    installing.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="file made by 'watchlink fleet pack', '-' to read it from standard input, or the fleet folder;"
        " without it the town's files stay as they are",
    )
    installing.add_argument(
        "--office",
        type=_name,
        metavar="NAME",
        help="run the office here too; people will open its pages by this name, and their passkeys are bound to it:"
        " choose it once",
    )
    installing.add_argument(
        "--without-central", action="store_true", help="with --office: broker and central run on another machine"
    )
    installing.add_argument(
        "--new-town",
        action="store_true",
        help="take a pack that is another town's, or older than what is here: after founding or restoring a town; what"
        " the enrolment service knows of another town is set aside, and it makes a new key",
    )
    installing.add_argument(
        "--settle",
        action="store_true",
        help="only finish putting the broker's certificate and its key in place, if a power cut came between them; the"
        " broker's unit does this before it starts",
    )
    checking = commands.add_parser(
        "check",
        help="say what is missing, wrong or about to expire, and what to do",
        description="Check all that 'install' sets up and every expiry date, and say what to do. Change nothing.",
        epilog="Exit status: 0 all is in order; 1 there is something to do; 2 it could not be looked at.",
    )
    checking.add_argument("--json", action="store_true", help="JSON output")
    taking = commands.add_parser(
        "take-bundle",
        help="put a release's bundle, on standard input, where units fetch it; 'watchlink fleet release' runs it",
    )
    taking.add_argument("sha256", type=_sha256, metavar="SHA256", help="of the bundle")
    taking.add_argument("size_bytes", type=_size, metavar="BYTES", help="its size")
    taking.add_argument("keep", type=_sha256, nargs="*", metavar="SHA256", help="others that are needed")
    return parser


def _sha256(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no SHA-256")
    return text


def _size(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= _BUNDLE_BYTES_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no size of a bundle")
    return int(text)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a machine's name, such as office.watch.town.gov.uk")
    return text


def _install(options: argparse.Namespace) -> int:
    if options.settle:
        settle_pairs(Machine(), [BROKERS_PAIR], Turn.TRY)
        return 0
    order = Order(options.office or "", without_central=options.without_central, is_new_town=options.new_town)
    if order.without_central and not order.office:
        raise PackError("--without-central leaves nothing to install: give --office NAME as well.")
    source = sys.stdin.buffer if options.source == _STANDARD_INPUT else options.source
    install(Machine(), read_pack(source) if source else None, say, order)
    return 0


def _take_bundle(options: argparse.Namespace) -> int:
    take_bundle(Machine(), sys.stdin.buffer, (options.sha256, options.size_bytes), options.keep, say)
    return 0


def _check(options: argparse.Namespace) -> int:
    findings = check(Machine())
    if options.json:
        say(msgspec.json.format(msgspec.json.encode(findings)).decode())
    else:
        for finding in findings:
            say(finding.line)
    return 0 if all(finding.state == "ok" for finding in findings) else FAILED


def run_as_root(command: str, work: Callable[[], int]) -> int:
    """Do the work of a command, or say why not.

    Returns what the work returns; 1 = it could not be done; 2 = the request is invalid, or not root's.
    """
    if os.geteuid() != 0:
        sys.stderr.write(f"{command}: only root can do this: put 'sudo' before it.\n")
        return NOT_UNDERSTOOD
    try:
        return work()
    except InstallError as e:
        sys.stderr.write(f"{command}: {e}\n")
        return NOT_UNDERSTOOD if isinstance(e, PackError) else FAILED


def say(sentence: str) -> None:
    """Print it at once."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()
