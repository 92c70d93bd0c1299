"""``watchlink fleet release``: sign what units are to run, and for whom (ADR 0041)."""

from __future__ import annotations

import argparse
import shlex
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioning.bundles import MAKERS, are_known, look_at, shelve
from provisioning.console import bring, confirm, say, town_options
from provisioning.enforcement import reload_by_command
from provisioning.errors import FleetError, FleetInputError
from provisioning.fleet import Fleet
from provisioning.live_list import read_live
from provisioning.releases import (
    Ring,
    before_of,
    current,
    in_words,
    kept,
    missing_hardware,
    paused,
    publication,
    resumed,
    rolled_back,
    sign,
    widened,
)
from provisioning.releases_shown import WHERE_BOOTED, booted_rows
from runtime.bundle_folder import BundleFolder, megabytes
from wire.release import Release

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name

_PERCENT_MAX: Final = 100
_YEAR_MAX: Final = 2199


def add_commands(commands: Commands) -> None:
    """Add it to the parser."""
    release = commands.add_parser("release", help="publish a new system for units, for a few first, then for all")
    acts = release.add_subparsers(required=True, title="commands", metavar="COMMAND")
    changing = argparse.ArgumentParser(add_help=False)
    changing.add_argument("--yes", action="store_true", help="do not ask")
    changing.add_argument(
        "--reload-command",
        metavar="COMMAND",
        help="brings the fleet's files to central; default: TOWN/apply, once 'watchlink fleet install' has made it",
    )
    ring = argparse.ArgumentParser(add_help=False)
    ring.add_argument(
        "--canary", action="append", default=[], metavar="NODE", help="a unit that tries it first; repeat for more"
    )
    ring.add_argument("--percent", type=_percent, metavar="N", help="how many in a hundred of the other units")
    publish = acts.add_parser(
        "publish", parents=[town_options(), ring, changing], help="sign a new version; units outside the ring stay"
    )
    publish.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE", help="file for one sort of hardware")
    publish.add_argument("--version", metavar="V", help="refuse bundles of another version than this")
    publish.add_argument(
        "--support-ends", required=True, type=_day, metavar="DATE", help="last day of support, as in 2031-12-31"
    )
    publish.set_defaults(run=_publish)
    for name, said, run, parents in (
        ("widen", "bring it to more units", _widen, [ring]),
        ("pause", "nobody begins it any more; who has begun ends", _pause, []),
        ("resume", "go on after a pause", _resume, []),
        ("rollback", "go back to the version published before", _roll_back, []),
    ):
        acts.add_parser(name, parents=[town_options(), *parents, changing], help=said).set_defaults(run=run)
    show = acts.add_parser("show", parents=[town_options()], help="what is published, and what each unit has booted")
    show.add_argument(
        "--from",
        type=Path,
        dest="live",
        metavar="FILE",
        help="what units have booted: a file from central's fleet page",
    )
    show.set_defaults(run=_show)
    for listed in acts._choices_actions:  # noqa: SLF001 - only there argparse keeps what the list of commands says
        said = listed.help or ""
        acts.choices[listed.dest].description = f"{said[:1].upper()}{said[1:]}."


def _publish(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    found = look_at(options.bundles, fleet.layout.releases / MAKERS)
    if options.version not in (None, found[0].version):
        raise FleetInputError(f"--version {options.version}: {found[0].path} has version {found[0].version}.")
    ring = Ring(options.canary, options.percent)
    release = publication(fleet.record, fleet.now(), found, ring, options.support_ends)
    remarks = [
        f"There is no bundle for {one}, for which the version before had one: those units stay as they are."
        for one in missing_hardware(release, fleet.record.release)
    ]
    back = before_of(fleet.record, release)
    if back is not None and fleet.record.release is not None and back.version != fleet.record.release.version:
        remarks.append(
            f"'rollback' will go back to {back.version}: the one before this was paused, or for fewer units."
        )
    if not are_known(fleet.layout.releases / MAKERS):
        remarks.append(
            "Who has made the bundles was not looked at; units do. To look here, too: put the makers' certificates into"
            f" {fleet.layout.releases / MAKERS}."
        )
    facts = "".join(f"{one}\n" for one in (_sentence(release), *_of_bundles(release), *remarks))
    if release != fleet.record.release:
        _ask(options, facts, "Sign this?")
    shelve(BundleFolder(fleet.layout.releases), found)
    _put(fleet, options, release)


def _widen(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    release = widened(fleet.record, fleet.now(), Ring(options.canary, options.percent))
    if release != fleet.record.release:
        _ask(options, _sentence(release), "Sign this?")
    _put(fleet, options, release)


def _pause(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    _put(fleet, options, paused(fleet.record, fleet.now()))


def _resume(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    _put(fleet, options, resumed(fleet.record, fleet.now()))


def _roll_back(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    release = rolled_back(fleet.record, fleet.now())
    bad, before = current(fleet.record), fleet.record.release_before
    if release != bad:
        facts = f"{bad.version} is taken back. {_sentence(release)}"
        if before is not None and before.percent < release.percent:
            facts += (
                f" {before.version} was for {before.percent} % only, but more units than can be named have the newer."
            )
        _ask(options, facts, f"Go back to {release.version}?")
    _put(fleet, options, release)


def _show(options: argparse.Namespace) -> None:
    live = None if options.live is None else read_live(options.live)
    fleet = Fleet.open(options.dir)
    record = fleet.record
    release = current(record)
    say(_sentence(release))
    say(f"Number {release.serial}, signed {release.made_at:%Y-%m-%d %H:%M} UTC.")
    for line in _of_bundles(release):
        say(line)
    before = record.release_before
    say(f"To go back to: {in_words(before)}." if before is not None else "There is no version to go back to.")
    if live is None:
        say(WHERE_BOOTED)
        return
    say("")
    for line in booted_rows(release, live):
        say(line)


def _put(fleet: Fleet, options: argparse.Namespace, release: Release) -> None:
    """Bring the bundles to where the release that names them will be, sign it, and bring it there, too."""
    layout, before = fleet.layout, fleet.record.release
    is_here = layout.beside_central.exists()
    if layout.apply.exists() and is_here and release.state == "open":
        _carry(fleet, release)
    sign(fleet.folder, release, before)
    done = "Nothing to change, it is signed already" if release == before else "Signed"
    say(f"{done}, number {release.serial}. {_sentence(release)}")
    if options.reload_command or layout.apply.exists():
        try:
            bring(fleet, reload_by_command(options.reload_command or shlex.quote(str(layout.apply))))
        except FleetError as e:
            raise FleetError(
                f"Number {release.serial} is signed, but may not have reached central, so units may not know: run"
                f" this again, it brings the same. {e}"
            ) from e
    _clean(fleet)
    if not layout.enrolment.exists():
        say("No unit learns of it: there is no enrolment service yet, see 'watchlink fleet enrolment'.")
    elif not is_here or not (options.reload_command or layout.apply.exists()):
        say(f"Where the enrolment service reads other files than these, carry {layout.releases} there, and after that")
        say(f"{layout.release}. What it has in force stays so until the bundles are there.")


def _clean(fleet: Fleet) -> None:
    folder = fleet.layout.releases
    try:
        count = BundleFolder(folder).clean(kept(fleet.record))
    except OSError as e:
        say(f"Bundles of older versions stay in {folder}: {e.strerror or e}.")
        return
    if count:
        say(f"{count} bundle{'' if count == 1 else 's'} of older versions deleted in {folder}.")


def _carry(fleet: Fleet, release: Release) -> None:
    """Bring the bundles to the enrolment service's machine. What lies there already is not sent again.

    Raises:
        FleetError: they did not get there; nothing was signed.
    """
    layout, folder = fleet.layout, BundleFolder(fleet.layout.releases)
    if not layout.carry.exists():
        raise FleetInputError("Nothing brings bundles to central's machine yet: run 'watchlink fleet install' again.")
    keep = sorted(kept(fleet.record, release))
    for bundle in release.bundles:
        file = folder.path_of(bundle.sha256)
        if not folder.has_whole(bundle.sha256, bundle.size_bytes):
            raise FleetError(
                f"{file} is missing or damaged: copy the bundle for {bundle.compatible}, version {release.version},"
                " there under that name. Nothing was signed."
            )
        say(f"Bringing the bundle for {bundle.compatible} to central's machine, {megabytes(bundle.size_bytes)} …")
        try:
            with file.open("rb") as reading:
                command: Sequence[str | Path] = (layout.carry, bundle.sha256, str(bundle.size_bytes), *keep)
                subprocess.run(command, stdin=reading, check=True)  # noqa: S603 - what 'fleet install' has made
        except (OSError, subprocess.SubprocessError) as e:
            why = f"{layout.carry} ended with {e.returncode}" if isinstance(e, subprocess.CalledProcessError) else e
            raise FleetError(
                f"The bundle for {bundle.compatible} is not at central's machine ({why}). Nothing was signed: run this"
                " again, it sends only what is missing there."
            ) from e


def _ask(options: argparse.Namespace, facts: str, question: str) -> None:
    if options.yes:
        say(facts.rstrip())
    else:
        confirm(facts, question, unchanged="Nothing was signed.", way_out="To sign it, give --yes.")


def _sentence(release: Release) -> str:
    return f"{in_words(release)}."


def _of_bundles(release: Release) -> list[str]:
    return [f"  {one.compatible}: {megabytes(one.size_bytes)}, SHA-256 {one.sha256}" for one in release.bundles]


def _percent(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > _PERCENT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to {_PERCENT_MAX}")
    return int(text)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if day.year > _YEAR_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no day, such as 2031-12-31")
    return day
