"""What units are to run: the release that a pack brings, and its bundles, which come by a way of their own (ADR 0041).

The enrolment service puts a release in force once it has judged all of its bundles; here is said what it waits for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import BinaryIO, Final

from installation import places
from installation.authority import authority_in
from installation.errors import InstallError, PackError
from installation.files import make_folder
from installation.findings import Finding, bad, expiry, why
from installation.machine import Machine
from installation.steps import Say
from runtime.bundle_folder import BundleError, BundleFolder, megabytes
from wire.errors import WireError
from wire.fleet_files import RELEASE, RELEASES
from wire.release import Bundle, Release, open_release
from wire.signing import PublicKey

RELEASE_HERE: Final = f"{places.ENROLMENT}/{RELEASE}"
BUNDLES: Final = f"{places.ENROLMENT}/{RELEASES}"
SUPPORT_WARNING: Final = timedelta(days=60)
"""As ``watchlink fleet list``."""
ABOUT: Final = "release"
_AGAIN: Final = "On the fleet's machine run 'watchlink fleet release resume': it brings them."


def take_bundle(machine: Machine, source: BinaryIO, bundle: tuple[str, int], keep: Iterable[str], say: Say) -> None:
    """Put a bundle where the enrolment service hands it out, and delete those that no release needs any more.

    Args:
        machine: this one.
        source: its bytes. Not read if it lies there already, whole.
        bundle: its SHA-256 and size.
        keep: SHA-256 of others that are needed; those of the release here are, too.
        say: is told.

    Raises:
        PackError: no enrolment service is here.
        InstallError: it is another, or the disk refuses; what was here is here.
    """
    sha256, size_bytes = bundle
    if not machine.path(places.ENROLMENT_TOML).exists():
        raise PackError("No enrolment service is here, which would hand it out: run 'watchlink central install' first.")
    folder = BundleFolder(machine.path(BUNDLES))
    try:
        make_folder(folder.path)
        here = release_here(machine)
        named = {one.sha256 for one in here.bundles} if here is not None else set()
        gone = folder.clean({sha256, *keep, *named})
        if gone:
            say(f"deleted {gone} bundle{'' if gone == 1 else 's'} of older versions")
        if folder.has_whole(sha256, size_bytes):
            say("it is there already")
            return
        folder.take(source, sha256, size_bytes)
    except BundleError as e:
        raise InstallError(f"The bundle is not taken: {e}.") from e
    except OSError as e:
        raise InstallError(f"The bundle cannot be written: {e.strerror or e}.") from e
    say(f"took {megabytes(size_bytes)}")


def release_here(machine: Machine, authority: PublicKey | None = None) -> Release | None:
    """As the fleet has brought it; ``None`` = none, or none that can be believed.

    Args:
        machine: this one.
        authority: whose it must be; ``None`` = of the town that is here.
    """
    try:
        return open_release(machine.read(RELEASE_HERE), authority or authority_in(machine, places.ENROLMENT_OWN))
    except (OSError, ValueError, WireError):
        return None


def lacking(machine: Machine, release: Release) -> tuple[Bundle, ...]:
    """Bundles of it that are not here, or are damaged. Reads them. Nobody begins a paused one: it lacks none."""
    if release.state == "paused":
        return ()
    folder = BundleFolder(machine.path(BUNDLES))
    return tuple(one for one in release.bundles if not folder.has_whole(one.sha256, one.size_bytes))


def lacking_words(machine: Machine, release: Release | None) -> str:
    """What keeps the release that was put here from units: a sentence without a full stop; empty = nothing."""
    if release is None or not (missing := lacking(machine, release)):
        return ""
    names = " and ".join(one.compatible for one in missing)
    return f"RELEASE {release.version} IS NOT IN FORCE: its bundle for {names} is not here. {_AGAIN.rstrip('.')}"


def release_findings(machine: Machine, now: datetime) -> list[Finding]:
    """Whether the release here can be in force, and until when its version is supported."""
    if not machine.path(RELEASE_HERE).exists():
        return []
    try:
        authority = authority_in(machine, places.ENROLMENT_OWN)
        release = open_release(machine.read(RELEASE_HERE), authority)
    except (OSError, ValueError, WireError) as e:
        return [bad(ABOUT, f"{RELEASE_HERE} is not believed ({why(e)})", "Install the fleet's newest pack again.")]
    if missing := lacking(machine, release):
        names = " and ".join(one.compatible for one in missing)
        return [bad(ABOUT, f"{release.version} names a bundle for {names} that is not here, or is damaged", _AGAIN)]
    to_do = "Publish a newer version: 'watchlink fleet release publish' on the fleet's machine."
    what = f"support of {release.version}"
    found = expiry(ABOUT, what, release.support_ends_at, now, warning=SUPPORT_WARNING, to_do=to_do)
    state = " It is paused" if release.state == "paused" and found.state == "ok" else ""
    return [Finding(found.state, found.about, f"{found.text}.{state}" if state else found.text, found.to_do)]
