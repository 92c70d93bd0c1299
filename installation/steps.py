"""The steps of an installation, whatever is installed: say what is to be done, put files, make users and folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from installation.errors import InstallError
from installation.files import Change, Record, Wanted, change_of, digest, make_folder, put, read, save_record
from installation.machine import Machine
from runtime.key_pair import KeyPair, PairError, Turn, replace_pair, settle_pair

Say = Callable[[str], None]
"""Takes a sentence for each thing done."""
_TOLD: Final = {
    "made": "made {path}",
    "updated": "updated {path}",
    "joined": "updated {path} with all that was revoked, here and at the fleet",
    "replaced": "replaced {path}, which somebody had changed here: it is the fleet's",
    "kept": "kept {path}, which was changed here: the new one is {path}.new; take over what you need, then delete it",
}


def changes_of(machine: Machine, record: Record, wanted: Iterable[Wanted]) -> list[Change]:
    """What there is to do with these files; one that is as it should be, whoever put it, is remembered."""
    found = []
    for one in wanted:
        change = change_of(machine, record, one)
        if change is None:
            if read(machine.path(one.path)) == one.data:
                record.files[one.path] = digest(one.data)
        else:
            found.append(change)
    return found


def note_changes(machine: Machine, record: Record, changes: Iterable[Change], path: str) -> frozenset[str]:
    """Paths that change now, or did before an installation was cut short: whoever reads them is still to be told.

    It is on record before any of them is put.
    """
    changed = frozenset(record.unfinished) | {change.wanted.path for change in changes if change.how != "kept"}
    if changed:
        record.unfinished = sorted(changed)
        save_record(machine, record, path)
    return changed


def settle_pairs(machine: Machine, stems: Iterable[str], turn: Turn = Turn.WAIT) -> None:
    """Finish what was interrupted while a certificate (``STEM.pem``) and its key (``STEM.key``) were put in place.

    Raises:
        InstallError: it cannot be finished.
    """
    try:
        for stem in stems:
            settle_pair(KeyPair(machine.path(f"{stem}.pem"), machine.path(f"{stem}.key")), turn)
    except OSError as e:
        raise InstallError(f"{e.filename} cannot be put in place: {e.strerror}.") from e


def put_all(machine: Machine, record: Record, changes: Iterable[Change], say: Say, turn: Turn = Turn.WAIT) -> None:
    """Do it, in this order; but a certificate and its key, if both change, as one.

    ``turn`` is at the locks of their folders.
    """
    left = {change.wanted.path: change for change in changes}
    while left:
        change = left[next(iter(left))]
        done = _put_pair(machine, record, change, left, turn)
        if not done:
            put(machine, record, change)
            done = (change,)
        for one in done:
            say(_TOLD[one.how].format(path=one.wanted.path))
            del left[one.wanted.path]


def _put_pair(
    machine: Machine, record: Record, change: Change, others: Mapping[str, Change], turn: Turn
) -> tuple[Change, ...]:
    """The two that were put, if this is half of a pair."""
    stem, _, end = change.wanted.path.rpartition(".")
    both = tuple(others[path] for path in (f"{stem}.key", f"{stem}.pem") if path in others)
    if end not in {"key", "pem"} or len(both) == 1 or any(one.how == "kept" for one in both):
        return ()
    key, certificate = both
    pair = KeyPair(machine.path(certificate.wanted.path), machine.path(key.wanted.path))
    try:
        make_folder(pair.key_file.parent)
        replace_pair(pair, certificate.wanted.data, key.wanted.data, turn)
    except PairError as e:
        raise InstallError(f"{certificate.wanted.path} is of no use: {e}.") from e
    except OSError as e:
        raise InstallError(f"{certificate.wanted.path} cannot be written: {e.strerror}.") from e
    for one in both:
        record.files[one.wanted.path] = digest(one.wanted.data)
    return both


def make_users_and_folders(machine: Machine, settings: tuple[str, ...]) -> None:
    """By the files of these names in ``sysusers.d`` and ``tmpfiles.d``; what is there gets its owner and mode."""
    must(machine, "systemd-sysusers", *settings)
    must(machine, "systemd-tmpfiles", "--create", *settings)


def must(machine: Machine, *command: str, hint: str = "") -> str:
    """Run a program of the machine's, and return what it says.

    Raises:
        InstallError: it failed.
    """
    answer = machine.run(*command)
    if not answer.is_good:
        said = answer.text.strip().rstrip(".") or f"status {answer.status}"
        raise InstallError(f"'{' '.join(command)}' failed: {said}.{hint} Then run this again.")
    return answer.text


def want_programs(machine: Machine, program: str, packages: tuple[str, ...]) -> None:
    """Look, before anything is changed, whether the machine has what the units start.

    Raises:
        InstallError: something is missing.
    """
    missing = machine.missing_packages(packages)
    if missing:
        raise InstallError(f"Debian packages are missing: apt install {' '.join(missing)}. Nothing was changed.")
    if not machine.path(program).exists():
        raise InstallError(
            f"{program} is missing, which the units start: install the programs into /opt/watchlink."
            " Nothing was changed."
        )
