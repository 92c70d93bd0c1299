"""``watchlink central install``: puts a machine's parts in place, says what it does, and does nothing twice."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from installation import places
from installation.authority import authority_in
from installation.drop_in import drop_in_of
from installation.enrolling import (
    LOOKS,
    NODES_KEY,
    PUBLIC_KEY,
    LeftOut,
    delegate_here,
    left_out,
    left_out_words,
    moved_words,
    not_signed,
    not_signed_words,
)
from installation.errors import InstallError, PackError
from installation.files import Change, Record, Wanted, alone, load_record, read, save_record, sweep
from installation.joining import joined
from installation.lists import ForBroker, ToJoin, join_lists, lists_for_broker
from installation.machine import Machine
from installation.new_town import is_of_another, set_aside
from installation.pack import CLAIMS, ISSUERS, TOP, Pack, claims_number_of
from installation.places import Parts
from installation.releases import lacking_words, release_here
from installation.revocation import crl_number_of
from installation.services import read_units, start_services
from installation.steps import Say, changes_of, make_users_and_folders, must, put_all, settle_pairs, want_programs
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from runtime.folder_lock import folder_lock
from runtime.key_pair import Turn
from wire.directory import Sender, open_directory
from wire.errors import WireError
from wire.fleet_files import RELEASE
from wire.ids import NodeId, node_text, parse_node

NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_DELEGATE_KEY: Final = f"{places.ENROLMENT_OWN}/delegate.key"
_WAY_OUT: Final = "Nothing was changed. If you found the town again, or restored its folder, add --new-town."


class Order(Struct, frozen=True):
    """What the engineer asks for besides.

    Attributes:
        office: name by which people will open the office's pages, if it is to run here; empty = only if it is here.
        without_central: broker and central run on another machine. Remembered.
        is_new_town: the pack may be another town's, or older than what is here.
    """

    office: str = ""
    without_central: bool = False
    is_new_town: bool = False


def parts_of(machine: Machine, record: Record) -> Parts:
    """What is installed on a machine."""
    has_central = not record.without_central
    return Parts(
        central=has_central,
        office=machine.path(places.OFFICE_TOML).exists(),
        backup=has_central and "backup" in _toml_of(machine, places.CENTRAL_TOML),
        office_backup="backup" in _toml_of(machine, places.OFFICE_TOML),
        office_nodes=machine.path(places.OFFICE_NODES_TOML).exists(),
        enrolment=machine.path(places.ENROLMENT_TOML).exists(),
        notifier=has_central and machine.path(places.NOTIFIER_TOML).exists(),
    )


def _toml_of(machine: Machine, path: str) -> dict[str, object]:
    """As it is on the machine; empty if there is none, or none that can be read, of which its program itself tells."""
    try:
        return tomllib.loads(machine.read(path).decode())
    except (OSError, ValueError):
        return {}


class _Plan(Struct, frozen=True):
    """What is to be done on a machine.

    Attributes:
        parts: what runs on it.
        system: changes of units, users and folders.
        fleets: of the town's files.
        joins: sentences about what is to be added to central.toml.
        swept: files beside which a kill may have left something.
        remarks: said at the end.
        left_out: units that the directory about to be put does not know.
        to_join: what the enrolment service is asked to sign once the broker has all else; ``None`` = nothing.
    """

    parts: Parts
    system: list[Change]
    fleets: list[Change]
    joins: tuple[str, ...]
    swept: list[Wanted]
    remarks: tuple[str, ...]
    left_out: LeftOut
    to_join: ToJoin | None


def install(machine: Machine, pack: Pack | None, say: Say, order: Order) -> None:
    """Install, or bring up to date. ``say`` takes a sentence for each thing done. Without a pack the town's files stay.

    Raises:
        PackError: the pack is older than what is here, or another town's. Nothing was changed.
        InstallError: it cannot go on.
    """
    with alone(machine), _no_list_renewed(machine):
        record = load_record(machine)
        # Of a run that was cut short, which has noted it. What else lies there is whoever's that owns the folder.
        cut_short = [one for one in places.PAIRS if {f"{one}.pem", f"{one}.key"} & {*record.unfinished}]
        settle_pairs(machine, cut_short, Turn.HELD)
        record.without_central |= order.without_central
        if pack is not None and not order.is_new_town:
            pack = _without_older_release(machine, pack)
        plan = _plan(machine, record, pack, say, order)
        if pack is not None and order.is_new_town and is_of_another(machine, pack.authority):
            aside = set_aside(machine, datetime.now(UTC), pack.files)
            say(f"set aside what the enrolment service knew of the town before: {aside}. Delete it when all is well")
            record.left_out = []
        if pack is not None:
            _note(machine, record, pack)
        is_busy, fault = _carry_out_and_look(machine, record, pack, plan, say)
        release = pack.release if pack is not None and places.enrols(plan.parts) else None
        moved = moved_words() if record.enrols_elsewhere else ""
        for remark in (fault, *plan.remarks, lacking_words(machine, release), moved):
            if remark:
                say(remark)
    say("Everything is in place." if is_busy else "Nothing to do: everything is in place.")


def _note(machine: Machine, record: Record, pack: Pack) -> None:
    """Remember what the pack says of itself, whether it changes a file or not."""
    was = record.claims_number, record.enrols_elsewhere
    record.claims_number = pack.claims_number
    # One that was put here by hand is not ours to judge: packs never had its keys.
    is_ours = NODES_KEY in record.files and machine.path(NODES_KEY).exists()
    record.enrols_elsewhere = is_ours and not pack.enrols and not pack.misfit and not record.without_central
    if CLAIMS in pack.files:  # For one that was taken back nobody waits any more.
        record.left_out = [node for node in record.left_out if parse_node(node) in pack.reserved]
    if was != (record.claims_number, record.enrols_elsewhere):
        save_record(machine, record)


@contextlib.contextmanager
def _no_list_renewed(machine: Machine) -> Iterator[None]:
    """From the look at the broker's lists until new ones are there: what was revoked between would be forgotten."""
    folder = machine.path(places.BROKER)
    with folder_lock(folder) if folder.is_dir() else contextlib.nullcontext():
        yield


def _plan(machine: Machine, record: Record, pack: Pack | None, say: Say, order: Order) -> _Plan:
    """Look at everything; changes nothing.

    Raises:
        PackError, InstallError: as :func:`install`.
    """
    is_first = bool(order.office) and not machine.path(places.OFFICE_TOML).exists()
    parts = parts_of(machine, record)
    is_enrolling = parts.enrolment or (pack is not None and pack.enrols and parts.central)
    parts = replace(parts, office=parts.office or is_first, enrolment=is_enrolling)
    opens_port = _may_open_port(machine, parts)
    parts = replace(parts, office_nodes=parts.office_nodes or opens_port)
    want_programs(machine, places.PROGRAM, places.packages(parts))
    if pack is None:
        _want_town(machine, parts)
    elif not order.is_new_town:
        _check_age(machine, record, pack, parts)
    ours = [
        Wanted(path, places.shipped(name), PUBLIC, is_editable=True)
        for path, name in places.shipped_files(parts).items()
    ]
    toml = [Wanted(places.OFFICE_TOML, places.office_toml(order.office).encode(), PUBLIC, is_editable=True)]
    port = [Wanted(places.OFFICE_NODES_TOML, places.NODES_TOML.encode(), PUBLIC, is_editable=True)]
    wanted, to_join = ([], None) if pack is None else _fleets(machine, pack, parts, order)
    fleets = changes_of(machine, record, [*wanted, *(toml if is_first else []), *(port if opens_port else [])])
    drop_ins = _drop_ins(machine, parts, fleets, say)
    omitted = _left_out(machine, pack, parts, fleets)
    remarks = [left_out_words(omitted.lost)] if omitted.lost else []
    if pack is not None and pack.misfit and parts.central:
        remarks.append(
            f"the enrolment service's files were not taken: {pack.misfit}. Run 'watchlink fleet enrolment' on the"
            " fleet's machine"
        )
    if pack is not None and pack.release_misfit and places.enrols(parts):
        remarks.append(f"the release was not taken, and what units are told stays as it was: {pack.release_misfit}")
    return _Plan(
        parts,
        changes_of(machine, record, [*ours, *drop_ins]),
        fleets,
        joined(_central_toml(machine, pack), parts)[1],
        [*wanted, *toml, *port, *ours, *drop_ins, Wanted(_DELEGATE_KEY, b"", PRIVATE)],
        tuple(remarks),
        omitted,
        to_join,
    )


def _may_open_port(machine: Machine, parts: Parts) -> bool:
    """Whether nodes can be answered here from now on: all that the port needs is there, and nobody has set it up."""
    is_here = parts.office and places.enrols(parts) and not parts.office_nodes
    return is_here and all(machine.path(one).exists() for one in places.NODES_NEED)


def _carry_out_and_look(machine: Machine, record: Record, pack: Pack | None, plan: _Plan, say: Say) -> tuple[bool, str]:
    """:func:`_carry_out`, then see whether the enrolment service has signed for its units again, and say if not."""
    looks = 1
    try:
        done = _carry_out(machine, record, plan, say)
        looks = LOOKS
    finally:
        # Also if the service does not start: its units are unheard meanwhile.
        awaited = plan.left_out.awaited
        unheard = not_signed(machine, pack.directory, awaited, looks) if pack is not None and awaited else ()
        if unheard:
            say(not_signed_words(unheard))
            record.left_out = sorted({*record.left_out, *map(node_text, unheard)})
            save_record(machine, record)
    return done


def _carry_out(machine: Machine, record: Record, plan: _Plan, say: Say) -> tuple[bool, str]:
    """Do it. Returns whether there was anything to do, and why the broker lacks what the fleet has revoked.

    Raises:
        InstallError: it cannot go on.
    """
    parts, changes = plan.parts, (*plan.system, *plan.fleets)
    sweep(machine, plan.swept)
    changed = frozenset(record.unfinished) | {change.wanted.path for change in changes if change.how != "kept"}
    if plan.joins:
        changed |= {places.CENTRAL_TOML}
    if changed or plan.to_join is not None:
        record.unfinished = sorted(changed | ({places.LISTS} if plan.to_join is not None else set()))
        record.left_out = sorted({*record.left_out, *map(node_text, plan.left_out.lost)})
        save_record(machine, record)
    # Users and folders first: a file belongs to whom its folder belongs to.
    put_all(machine, record, plan.system, say)
    make_users_and_folders(machine, places.settings(parts))
    put_all(machine, record, plan.fleets, say, Turn.HELD)
    if plan.joins:
        _join(machine, parts)
        for sentence in plan.joins:
            say(sentence)
    # Again: root has made a file or two whose mode is for a group.
    make_users_and_folders(machine, places.settings(parts))
    is_busy = bool(changed or changes)
    if is_busy:  # Whatever fails from here on, these files are ours.
        save_record(machine, record)
    read_units(machine, changed)
    # The broker first: it obeys the fleet before other programs are asked, whoever may have taken them over.
    services = places.services(parts)
    is_busy |= start_services(machine, [one for one in services if one.name in places.BROKERS], changed, say)
    is_busy |= _make_keys(machine, parts, say)
    is_joined, fault = _join_lists(machine, record, plan.to_join, say)
    is_busy |= is_joined
    is_busy |= start_services(machine, [one for one in services if one.name not in places.BROKERS], changed, say)
    if is_busy or record.unfinished:
        record.unfinished = []
        save_record(machine, record)
    return is_busy, fault


def _join_lists(machine: Machine, record: Record, to_join: ToJoin | None, say: Say) -> tuple[bool, str]:
    """Have the broker's list of nodes name all who were revoked. Returns whether it does now, and why it does not."""
    if to_join is None:
        return False, ""
    data, fault = join_lists(machine, to_join)
    if data:
        put_all(machine, record, [Change(Wanted(places.LISTS, data, PUBLIC, is_shared=True), "joined")], say)
        save_record(machine, record)
        brokers = [one for one in places.services(Parts()) if one.name in places.BROKERS]
        start_services(machine, brokers, frozenset({places.LISTS}), say)
    return bool(data), fault


def _make_keys(machine: Machine, parts: Parts, say: Say) -> bool:
    """Have the programs make those that never leave this machine, once."""
    founding = []
    if parts.office and not machine.path(f"{places.OFFICE}/publisher/snapshot.pub").exists():
        founding.append(("office", "init", "--config", places.OFFICE_TOML))
    if places.enrols(parts) and not machine.path(PUBLIC_KEY).exists():
        founding.append(("enrol", "key", "--to", places.ENROLMENT_OWN))
    for command in founding:
        said = must(machine, places.PROGRAM, *command)
        make_users_and_folders(machine, places.settings(parts))
        say(said.rstrip())
    return bool(founding)


def _want_town(machine: Machine, parts: Parts) -> None:
    missing = [path for path in places.town_paths(parts) if not machine.path(path).exists()]
    if missing:
        raise PackError(f"{missing[0]} is missing: give --from, with a file made by 'watchlink fleet pack'.")


def _check_age(machine: Machine, record: Record, pack: Pack, parts: Parts) -> None:
    """A pack that went astray must not bring back somebody who was revoked since, or a code that was taken back."""
    folder, directory = places.town_files(parts)
    try:
        authority = authority_in(machine, folder)
    except (OSError, ValueError, WireError):
        return  # Nothing whole is here.
    if authority != pack.authority:
        raise PackError(f"This is another town's: its authority's key differs from the one here. {_WAY_OUT}")
    try:
        here = open_directory(machine.read(directory), authority)
    except (OSError, WireError):
        pass  # Missing or damaged: to be replaced.
    else:
        # The authority's part: what the delegate has changed here since is no reason to refuse the fleet's next one.
        _refuse_older("directory", pack.directory.authority_serial, here.authority_serial)
        _refuse_older("delegation", pack.directory.epoch, here.epoch)
    try:
        number = crl_number_of(machine.read(f"{places.BROKER}/crl.pem"))
    except (OSError, ValueError):
        pass
    else:
        _refuse_older("revocation list", pack.crl_number, number)
    # A code that somebody has seen, and the fleet has taken back, would be good again.
    claims = claims_number_of(read(machine.path(f"{places.ENROLMENT}/{CLAIMS}")))
    _refuse_older("list of open claims", pack.claims_number, max(claims, record.claims_number))


def _without_older_release(machine: Machine, pack: Pack) -> Pack:
    """Units would be told to take what was taken back. The rest may cut off a stolen unit: it is not held up."""
    here = release_here(machine, pack.authority)
    number = pack.release.serial if pack.release is not None else 0
    if here is None or pack.release_misfit or number >= here.serial:
        return pack
    files = {name: data for name, data in pack.files.items() if name != RELEASE}
    misfit = (
        f"it has number {number}, the one here {here.serial}. See 'Restoring an older fleet folder' in docs/backups.md"
    )
    return replace(pack, files=files, release=None, release_misfit=misfit)


def _refuse_older(what: str, number: int, here: int) -> None:
    if number < here:
        raise PackError(
            f"This is older than what is here: its {what} has number {number}, the one here {here}. {_WAY_OUT}"
        )


def _is_behind(machine: Machine, path: str, pack: Pack) -> bool:
    """Whether the directory here is the pack's with newer changes of the delegate's, such as a stolen node's strike."""
    if path not in {places.DIRECTORY, places.OFFICE_DIRECTORY}:
        return False
    try:
        here = open_directory(machine.read(path), pack.authority)
    except (OSError, WireError):
        return False
    return here.base == pack.directory.base and here.serial > pack.directory.serial


def _fleets(machine: Machine, pack: Pack, parts: Parts, order: Order) -> tuple[list[Wanted], ToJoin | None]:
    """The fleet's files, and what the enrolment service is to sign."""
    placed, lists = pack.placed(parts), ForBroker(b"")
    if places.enrols(parts):
        lists = lists_for_broker(machine, pack.files["broker/crl.pem"], pack.files.get(ISSUERS, b""), pack.files[TOP])
        placed[places.LISTS] = lists.data, PUBLIC
    wanted = [
        Wanted(
            path,
            data,
            mode,
            is_editable=path in {places.CENTRAL_TOML, places.ENROLMENT_TOML},
            is_shared=path == places.LISTS and lists.is_of_both,
        )
        for path, (data, mode) in placed.items()
        if order.is_new_town or not _is_behind(machine, path, pack)
    ]
    return wanted, lists.to_join


def _drop_ins(machine: Machine, parts: Parts, changes: list[Change], say: Say) -> list[Wanted]:
    """By the configurations as they will be: those that an engineer has changed are kept."""
    coming = {change.wanted.path: change.wanted.data for change in changes if change.how != "kept"}
    found = []
    for unit, path, reach_of in places.configured(parts):
        try:
            toml = tomllib.loads((coming.get(path) or read(machine.path(path)) or b"").decode("utf-8"))
        except ValueError as e:
            raise InstallError(f"{path} cannot be read: {e}. Mend it. Nothing was changed.") from e
        found += drop_in_of(machine, unit, reach_of(toml), "central", say)
    return found


def _left_out(machine: Machine, pack: Pack | None, parts: Parts, changes: list[Change]) -> LeftOut:
    """Units that the directory about to be put does not know.

    It is put all the same: it may end a stolen delegate, or strike a stolen node.
    """
    if pack is None or not parts.central or all(change.target != places.DIRECTORY for change in changes):
        return LeftOut()
    held: dict[NodeId, Sender] = {}
    with contextlib.suppress(OSError, WireError):
        changed = open_directory(machine.read(places.CHANGED), pack.authority).senders
        # Not those that a thief has added.
        held |= {node: sender for node, sender in changed.items() if node in pack.reserved}
    with contextlib.suppress(OSError, WireError):
        held |= open_directory(machine.read(places.DIRECTORY), pack.authority).senders
    return left_out(held, pack.directory, delegate_here(machine), datetime.now(UTC))


def _central_toml(machine: Machine, pack: Pack | None) -> str:
    """As it will be: what is here is the engineer's, or the same as the pack's."""
    here = read(machine.path(places.CENTRAL_TOML))
    coming = b"" if pack is None else pack.files["central/central.toml"]
    return (coming if here is None else here).decode("utf-8", "replace")


def _join(machine: Machine, parts: Parts) -> None:
    path = machine.path(places.CENTRAL_TOML)
    try:
        write_atomic(path, joined(path.read_text(encoding="utf-8"), parts)[0].encode(), PUBLIC)
    except OSError as e:
        raise InstallError(f"{places.CENTRAL_TOML} cannot be written: {e.strerror}.") from e
