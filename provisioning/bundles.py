"""Bundles as their maker hands them over: what they say of themselves, read by ``rauc``, so that nobody types it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from provisioning.errors import FleetError, FleetInputError
from runtime.bundle_folder import BundleError, BundleFolder, digest_of
from wire.limits import NAME_CHARS_MAX
from wire.release import BUNDLES_MAX, Bundle, version_numbers

MAKERS: Final = "makers.pem"
"""In the folder of the releases, if the town wants it: certificates of those whose bundles its units take."""
_RAUC_WITHIN_S: Final = 120


class _Info(Struct):
    """Of ``rauc info --output-format=json``, what counts here."""

    compatible: str
    version: str | None = None


class NewBundle(Struct, frozen=True):
    """A bundle file, looked at."""

    path: Path
    version: str
    bundle: Bundle


def look_at(files: Sequence[Path], makers: Path) -> tuple[NewBundle, ...]:
    """What these files are: one version, for different sorts of hardware.

    Args:
        files: at least one.
        makers: certificates (PEM) that must have signed them; if there is no such file, who made them is not looked at.

    Raises:
        FleetInputError: they cannot be one release; it says why.
    """
    if len(files) > BUNDLES_MAX:
        raise FleetInputError(f"A release has at most {BUNDLES_MAX} bundles: give fewer.")
    found = [_look_at(file, makers) for file in files]
    first = found[0]
    for number, one in enumerate(found):
        if one.version != first.version:
            raise FleetInputError(f"{first.path} has version {first.version}, {one.path} {one.version}: publish one.")
        twin = next((other for other in found[:number] if other.bundle.compatible == one.bundle.compatible), None)
        if twin is not None:
            raise FleetInputError(f"{twin.path} and {one.path} are both for {one.bundle.compatible}: publish one.")
    return tuple(found)


def are_known(makers: Path) -> bool:
    """Whether who made a bundle is looked at. A link to nowhere is no leave to skip it: ``rauc`` refuses all then."""
    return os.path.lexists(makers)


def _look_at(file: Path, makers: Path) -> NewBundle:
    info = _info(file, makers)
    if not info.version or len(info.version) > NAME_CHARS_MAX or version_numbers(info.version) is None:
        raise FleetInputError(f"{file} has no version that can be compared, such as 0.1.0.202611280725.")
    try:
        bundle = msgspec.convert(
            {"compatible": info.compatible, "sha256": digest_of(file), "size_bytes": file.stat().st_size}, Bundle
        )
    except msgspec.ValidationError as e:
        raise FleetInputError(f"{file} is for no hardware of ours: it says ‘{info.compatible[:40]}’.") from e
    except OSError as e:
        raise FleetInputError(f"{file} cannot be read: {e.strerror}.") from e
    return NewBundle(file, info.version, bundle)


def _info(file: Path, makers: Path) -> _Info:
    if not file.is_file():
        raise FleetInputError(f"{file} is no file.")
    is_checked = are_known(makers)
    trust = [f"--keyring={makers}"] if is_checked else ["--no-verify"]
    try:
        done = subprocess.run(  # noqa: S603 - the engineer's own file
            ["rauc", "info", *trust, "--output-format=json", str(file)],  # noqa: S607 - Debian's
            capture_output=True,
            timeout=_RAUC_WITHIN_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError as e:
        raise FleetInputError("rauc is missing, which reads bundles: apt install rauc.") from e
    except (OSError, subprocess.TimeoutExpired) as e:
        raise FleetError(f"{file} cannot be looked at: {e}.") from e
    said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"])[-1]
    if done.returncode:
        whose = f", or none of {makers} has signed it" if is_checked else ""
        raise FleetInputError(f"{file} is no bundle of RAUC{whose} ({said}).")
    try:
        return msgspec.json.decode(done.stdout, type=_Info)
    except msgspec.MsgspecError as e:
        raise FleetInputError(f"{file} is no bundle that this program knows ({e}).") from e


def shelve(folder: BundleFolder, bundles: Sequence[NewBundle]) -> None:
    """Copy them into the folder, where they do not lie there yet.

    Raises:
        FleetError: the disk refuses; nothing was published.
    """
    for one in bundles:
        if folder.has_whole(one.bundle.sha256, one.bundle.size_bytes):
            continue
        try:
            with one.path.open("rb") as reading:
                folder.take(reading, one.bundle.sha256, one.bundle.size_bytes)
        except (BundleError, OSError) as e:
            why = getattr(e, "strerror", None) or str(e)
            raise FleetError(f"{one.path} is not taken over: {why}. Nothing was published.") from e
