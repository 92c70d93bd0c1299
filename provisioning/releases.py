"""What units are to run, as the town's authority says: publish, widen, pause, resume, go back (ADR 0041).

Each of them is a new release with a higher serial. Pure but for :func:`sign`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from provisioning.bundles import NewBundle
from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from provisioning.records import FleetRecord
from wire.release import CANARIES_MAX, Release, version_numbers

EVERYBODY: Final = 100
SUPPORT_WARNING: Final = timedelta(days=60)
"""Before the end: time to make, try and widen the next version."""
_NONE_YET: Final = "Nothing was published yet: 'watchlink fleet release publish'."


class Ring(Struct, frozen=True):
    """For whom a release is.

    Attributes:
        canaries: nodes' ids, as somebody typed them.
        percent: of the others; ``None`` = as it was, or none.
    """

    canaries: Sequence[str] = ()
    percent: int | None = None


def publication(
    record: FleetRecord, now: datetime, bundles: Sequence[NewBundle], ring: Ring, support_ends_on: date
) -> Release:
    """The release of a new version; what is in force, if that is the same and as wide.

    Raises:
        FleetInputError: it cannot be published.
    """
    version, before = bundles[0].version, record.release
    canaries = _canaries(record, ring.canaries)
    if before is not None and before.version == version:
        is_same = before.bundles == tuple(one.bundle for one in bundles) and before.state == "open"
        if is_same and {*canaries} <= {*before.canaries} and (ring.percent or 0) <= before.percent:
            return before
        raise FleetInputError(
            f"{version} is published already: 'watchlink fleet release widen' brings it to more units."
        )
    # Above all that was ever published, also if the town has gone back since: a unit that has not would refuse it.
    if before is not None and not _is_below(record.highest_release, version):
        raise FleetInputError(
            f"{version} is not newer than {record.highest_release}, which was published. To go back to the version"
            " before: 'watchlink fleet release rollback'. Else build it with a higher number."
        )
    support_ends_at = datetime.combine(support_ends_on + timedelta(days=1), time_of_day(), UTC)
    if support_ends_at <= now:
        raise FleetInputError(f"--support-ends {support_ends_on} is over: give the last day on which you support it.")
    if not canaries and not ring.percent:
        raise FleetInputError("Say for whom it is: --canary NODE for a unit that tries it first, or --percent N.")
    return Release(
        serial=_next_serial(record, now),
        made_at=now,
        version=version,
        state="open",
        bundles=tuple(one.bundle for one in bundles),
        support_ends_at=support_ends_at,
        canaries=canaries,
        percent=ring.percent or 0,
    )


def widened(record: FleetRecord, now: datetime, ring: Ring) -> Release:
    """The same for more units; what is in force, if it is for these already.

    Raises:
        FleetInputError: there is none, it is paused, or it would be for fewer.
    """
    release = current(record)
    if release.state == "paused":
        raise FleetInputError("It is paused: 'watchlink fleet release resume' first.")
    canaries = tuple(dict.fromkeys((*release.canaries, *_canaries(record, ring.canaries))))
    percent = release.percent if ring.percent is None else ring.percent
    if percent < release.percent:
        raise FleetInputError(
            f"It is for {release.percent} % already, and units may have it. 'pause' keeps others from it, 'rollback'"
            " takes it back."
        )
    if (canaries, percent) == (release.canaries, release.percent):
        return release
    return _anew(record, now, replace(release, canaries=_fitting(canaries), percent=percent))


def paused(record: FleetRecord, now: datetime) -> Release:
    """Nobody begins it any more; what is in force, if that is paused.

    Raises:
        FleetInputError: there is none.
    """
    release = current(record)
    return release if release.state == "paused" else _anew(record, now, replace(release, state="paused"))


def resumed(record: FleetRecord, now: datetime) -> Release:
    """It goes on; what is in force, if that is open.

    Raises:
        FleetInputError: there is none.
    """
    release = current(record)
    return release if release.state == "open" else _anew(record, now, replace(release, state="open"))


def rolled_back(record: FleetRecord, now: datetime) -> Release:
    """The version to go back to: for those for whom that was, and for those whom the newest has reached.

    What is in force, if that is open and is one gone back to.

    Raises:
        FleetInputError: there is none.
    """
    bad, before = current(record), record.release_before
    if before is None:
        if bad.is_rollback and bad.state == "open":
            return bad
        raise FleetInputError(
            f"There is no version before {bad.version} here to go back to. 'watchlink fleet release pause' stops it."
        )
    canaries, percent = before.canaries, before.percent
    if percent < EVERYBODY:
        # The draw is another one for each version.
        opened = replace(bad, state="open")
        reached = [node for node in _nodes(record) if opened.applies_to(node)]
        canaries = tuple(dict.fromkeys((*canaries, *reached)))
        if len(canaries) > CANARIES_MAX:
            canaries, percent = before.canaries, EVERYBODY
    if before.state == "paused":
        raise FleetInputError(
            f"{before.version}, the one before, was paused: publish a newer version. 'watchlink fleet release pause'"
            f" stops {bad.version}."
        )
    back = replace(before, canaries=canaries, percent=percent, state="open", is_rollback=True)
    return _anew(record, now, back)


def sign(folder: FleetFolder, release: Release, before: Release | None) -> None:
    """Record and sign it; then it lies where the enrolment service reads it, or is brought there.

    Args:
        folder: the fleet's.
        release: to be in force; the same as ``before`` = only put the signed file there again.
        before: what was in force when ``release`` was made.

    Raises:
        FleetInputError: somebody else has published meanwhile, or no unit would accept it; nothing was signed.
        FleetDamagedError: the authority's key is missing or unusable.
    """
    with folder.changing():
        record = folder.record
        is_again = release == before
        if record.release != before or (before is not None and not is_again and release.serial <= before.serial):
            raise FleetInputError("Somebody else has changed the release meanwhile. Nothing was signed: look again.")
        if not is_again:
            # First: a record with a release that cannot be signed could not be published any more, nor be read.
            folder.sealed(release)
            highest = record.highest_release
            folder.commit(
                msgspec.structs.replace(
                    record,
                    release=release,
                    release_before=before_of(record, release),
                    highest_release=release.version if not highest or _is_below(highest, release.version) else highest,
                )
            )
        folder.publish()


def before_of(record: FleetRecord, release: Release) -> Release | None:
    """What can be gone back to once ``release`` is in force: never one that was paused or given to fewer."""
    last, good = record.release, record.release_before
    if last is None or last.version == release.version:
        return good
    if release.is_rollback:
        return None
    return good if last.state == "paused" or (good is not None and last.percent < good.percent) else last


def current(record: FleetRecord) -> Release:
    """What is published.

    Raises:
        FleetInputError: nothing.
    """
    if record.release is None:
        raise FleetInputError(_NONE_YET)
    return record.release


def kept(record: FleetRecord, *more: Release) -> frozenset[str]:
    """SHA-256 of the bundles that may be asked for: of the newest release, of the one before, and of these."""
    releases = (record.release, record.release_before, *more)
    return frozenset(bundle.sha256 for one in releases if one is not None for bundle in one.bundles)


def missing_hardware(release: Release, before: Release | None) -> tuple[str, ...]:
    """Sorts of hardware that had a bundle and now have none: their units stay as they are."""
    old = () if before is None else tuple(bundle.compatible for bundle in before.bundles)
    return tuple(one for one in old if release.bundle_for(one) is None)


def in_words(release: Release) -> str:
    """For whom, and until when it is supported: a sentence."""
    whom = [f"canaries {', '.join(release.canaries)}"] if release.canaries else []
    if release.percent == EVERYBODY:
        whom = ["all units"]
    elif release.percent:
        whom.append(f"{release.percent} % of the {'others' if whom else 'units'}")
    last_day = release.support_ends_at - timedelta(days=1)
    how = "PAUSED, " if release.state == "paused" else ""
    back = ", gone back to" if release.is_rollback else ""
    return f"{release.version}{back}: {how}for {' and '.join(whom) or 'nobody'}; supported until {last_day:%Y-%m-%d}"


def _anew(record: FleetRecord, now: datetime, release: Release) -> Release:
    return replace(release, serial=_next_serial(record, now), made_at=now)


def _next_serial(record: FleetRecord, now: datetime) -> int:
    # By the clock, so that a fleet restored from an old copy does not repeat a serial that units have seen.
    return max(int(now.timestamp()), record.release.serial + 1 if record.release is not None else 1)


def _canaries(record: FleetRecord, typed: Iterable[str]) -> tuple[str, ...]:
    found = dict.fromkeys(record.node(one) for one in typed)
    for node in found:
        if node.revoked_at is not None:
            raise FleetInputError(f"{node.node} ({node.premises}) is revoked: it can try nothing.")
    return _fitting(tuple(node.node for node in found))


def _fitting(canaries: tuple[str, ...]) -> tuple[str, ...]:
    if len(canaries) > CANARIES_MAX:
        raise FleetInputError(f"At most {CANARIES_MAX} canaries: give --percent instead.")
    return canaries


def _nodes(record: FleetRecord) -> Iterable[str]:
    yield from (node.node for node in record.nodes if node.revoked_at is None)
    yield from (claim.node for claim in record.claims)


def _is_below(version: str, other: str) -> bool:
    mine, theirs = version_numbers(version), version_numbers(other)
    return mine is not None and theirs is not None and mine < theirs
