"""Gathers the parts, each by itself, and writes what there is: a broken unit is what this is for."""

from __future__ import annotations

import gzip
import io
import json
import pwd
import socket
import sys
import tarfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from msgspec.structs import replace

from node.check.machine import Machine
from node.check.report import Findings, look
from node.diagnosis.journal import unit_log
from node.diagnosis.settings import names_in, settings
from node.diagnosis.versions import versions
from node.diagnosis.words import Words
from node.step import Step
from wire.directory import DelegateChanges, DirectoryDocument, SealedDirectory

STATUS_MADE: Final = 0
STATUS_MADE_IN_PART: Final = 1
STATUS_NOT_MADE: Final = 2
_UNIT_PROPERTIES: Final = (
    *("LoadState", "UnitFileState", "ActiveState", "SubState", "Result", "NRestarts", "ExecMainStatus", "StatusText"),
)
_READ_ME: Final = """Watchlink: diagnosis of a unit, for the fleet's engineer.

findings.jsonl      what 'watchlink node check' found, a line for each part
versions.json       programs, libraries, machine, network interfaces
configuration.json  node.toml: known keys, and values that name nobody
store.json          counts and sizes of the store, no contents
unit.json           what systemd says of the unit
log.jsonl           the unit's log

Left out: names of people, premises, places and schemes, addresses, photographs, keys, Wi-Fi, contents of alerts. Words
that do not stand in Watchlink's own source are replaced by …
"""


class _MissingError(Exception):
    """A part cannot be had; the message says why."""


def diagnose(config_file: Path, version: str, folder: Path) -> int:
    """Make the file, say where it is and what is missing, and return the exit status."""
    sys.stdout.write("Looking at the unit. This takes up to a minute.\n")
    node, parts, missing = gather(config_file, version)
    data = packed(parts)
    file = folder / f"watchlink-diagnosis-{node}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz"
    try:
        file.write_bytes(data)
    except OSError as e:
        file.unlink(missing_ok=True)
        sys.stderr.write(
            f"watchlink node diagnose: {folder} cannot be written: {e.strerror}."
            " Give another place, such as --to /dev/shm or a USB stick.\n"
        )
        return STATUS_NOT_MADE
    for why in missing:
        sys.stdout.write(f"--   {why}\n")
    sys.stdout.write(
        f"\n{file} ({len(data) // 1000 + 1} kB)\n"
        "Send it to the fleet's engineer. It holds no names, photographs or keys; to read it yourself:\n"
        f"tar -xOzf {file} | less\n"
    )
    return STATUS_MADE_IN_PART if missing else STATUS_MADE


def gather(
    config_file: Path, version: str, machine: Machine | None = None
) -> tuple[str, dict[str, bytes], tuple[str, ...]]:
    """Everything that can be had.

    Returns:
        The node's id or ``"unknown"``, contents by name, and what is missing, a sentence each.
    """
    here = machine or Machine()
    found = look(config_file, version, here)
    node = found.identity.file.identity.node if found.identity.file else "unknown"
    documents, own = _directories(found), names_in(config_file)
    words = Words([*_names(found, documents), *own], {node, *(one.node for each in documents for one in each.senders)})
    sources: dict[str, Callable[[], bytes]] = {
        "findings.jsonl": lambda: "".join(_clean(step, words).as_json for step in found.steps).encode(),
        "versions.json": lambda: _json(versions(version, here)),
        "configuration.json": lambda: _json(settings(config_file)),
        "store.json": lambda: _json(_figures(found)),
        "unit.json": lambda: _json(_unit(found, words)),
        "log.jsonl": lambda: _log(words, is_all_named=bool(documents and own)),
    }
    parts: dict[str, bytes] = {}
    missing: list[str] = []
    for name, source in sources.items():
        try:
            parts[name] = source()
        except _MissingError as e:
            missing.append(f"{name}: {e}")
        except OSError as e:
            missing.append(f"{name}: cannot be read: {e.strerror}")
        except Exception as e:  # noqa: BLE001 - one part's fault must not cost the others
            missing.append(f"{name}: could not be made: {type(e).__name__}")
    said = "".join(f"Missing: {why}\n" for why in missing)
    return node, {"READ-ME.txt": f"{_READ_ME}\n{said}".encode(), **parts}, tuple(missing)


def packed(parts: dict[str, bytes]) -> bytes:
    """A tar.gz in memory: the disk may be full. It says nothing of who made it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(f"watchlink-diagnosis/{name}")
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(raw.getvalue())


def _names(found: Findings, documents: Iterable[DirectoryDocument]) -> list[str]:
    """Names that the unit knows."""
    names = [socket.gethostname(), *_people(), *_authority(found)]
    if file := found.identity.file:
        speech = file.radio.speech.neutral_phrase
        names += [file.identity.premises, file.identity.place, file.mqtt.host, file.radio.licence, speech]
    for document in documents:
        for scheme in document.schemes:
            names += [scheme.name, scheme.slug]
        for sender in document.senders:
            # Central is what everybody calls it, and half of the log is about it.
            names += [name for name in (sender.premises, sender.place) if name != "Central"]
    return names


def _people() -> list[str]:
    """Who has an account on this machine, other than programs."""
    return [user.pw_name for user in pwd.getpwall() if 1_000 <= user.pw_uid < 65_000]  # noqa: PLR2004 - login.defs(5)


def _authority(found: Findings) -> list[str]:
    """Names of root and issuers, of which the root's is the town's."""
    names: list[str] = []
    with suppress(OSError, ValueError, KeyError):
        for ca in x509.load_pem_x509_certificates(found.identity.files["ca_file"].read_bytes()):
            for one in ca.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
                names += [str(one.value), str(one.value).rpartition(" of ")[2]]
    return names


def _directories(found: Findings) -> list[DirectoryDocument]:
    """The first directory and the kept one, as they are, signed or not, with what a delegate has added."""
    first = found.identity.files.get("directory_file")
    read = [found.store.directory] if found.store.directory else []
    with suppress(OSError):
        read += [first.read_bytes()] if first else []
    documents = []
    for data in read:
        with suppress(msgspec.MsgspecError, ValueError):
            sealed = msgspec.json.decode(data, type=SealedDirectory)
            document = msgspec.json.decode(sealed.document, type=DirectoryDocument)
            if sealed.changes:
                added = msgspec.json.decode(sealed.changes.document, type=DelegateChanges).added
                document = replace(document, senders=(*document.senders, *added))
            documents.append(document)
    return documents


def _clean(step: Step, words: Words) -> Step:
    return Step(step.name, step.outcome, words.clean(step.text), words.clean(step.advice), step.figures)


def _figures(found: Findings) -> dict[str, int]:
    if not found.store.figures:
        raise _MissingError("nothing can be counted: see the step store of the findings")
    return found.store.figures


def _unit(found: Findings, words: Words) -> dict[str, object]:
    told = found.unit.properties
    if not told:
        raise _MissingError("systemd knows no watchlink-node here")
    allowed = len(told.get("IPAddressAllow", "").split())
    known: dict[str, object] = {key: words.clean(told[key]) for key in _UNIT_PROPERTIES if key in told}
    return known | {"is_ours": found.unit.is_ours, "is_running": found.unit.is_running, "addresses_allowed": allowed}


def _log(words: Words, *, is_all_named: bool) -> bytes:
    if not is_all_named:
        raise _MissingError("left out: without configuration and directory it is not known which words are names")
    lines = unit_log(words)
    if lines is None:
        raise _MissingError("there is no journal here, or no right to read it: run this as root")
    if not lines:
        raise _MissingError("the journal has no entry of watchlink-node")
    return ("\n".join(lines) + "\n").encode()


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
