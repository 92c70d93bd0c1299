"""Who is shown in shops today, scheme by scheme. One unusable row is left out and never stops the rest."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final, cast, get_args

import msgspec
from django.db.models import Prefetch
from msgspec import Struct

from office.accounts.models import Scheme
from office.exclusions import acts, terms
from office.exclusions.models import Case
from office.exclusions.rules import period, reach
from office.exclusions.rules.life import IN_FORCE
from office.people.models import SHOWN_TO_READERS, Photograph
from wire.gallery_manifest import (
    ENTRIES_MAX,
    PHOTOGRAPH_BYTES_MAX,
    Category,
    GalleryEntry,
    PhotographEntry,
    PhotographSize,
)
from wire.text import display_text

logger = logging.getLogger(__name__)

SIZES: Final[tuple[PhotographSize, ...]] = get_args(PhotographSize)
NAME_CHARS_MAX: Final = 120
_KNOWN_MAX: Final = 10_000
_known: dict[Path, tuple[tuple[int, int, int], PhotographEntry]] = {}


class ShownCase(Struct, frozen=True):
    """An exclusion to show, before its photograph's files are read.

    Attributes:
        entry: without photographs.
        photograph: names its encrypted files; ``None`` = there is none, or it is not cropped yet.
    """

    entry: GalleryEntry
    photograph: str | None


def shown_cases(today: date) -> dict[int, tuple[ShownCase, ...]]:
    """By number of the scheme, in the order of the cases. A scheme whose register is off shows nobody."""
    return {scheme.number: tuple(_of(scheme, today)) for scheme in Scheme.objects.order_by("number")}


def with_photographs(shown: Iterable[ShownCase], folder: Path) -> Iterator[tuple[GalleryEntry, dict[str, Path]]]:
    """Each entry with the sizes of its photograph, and the file of each ciphertext by its SHA-256.

    Args:
        shown: cases.
        folder: of the encrypted files.
    """
    for case in shown:
        files = {} if case.photograph is None else _files(folder, case.photograph)
        if not files:
            yield case.entry, {}
            continue
        sizes = tuple(entry for entry, _ in files.values())
        entry = msgspec.structs.replace(case.entry, photograph=case.photograph, photographs=sizes)
        yield entry, {entry.sha256: path for entry, path in files.values()}


def without_photographs(entry: GalleryEntry) -> GalleryEntry:
    """The same entry, for when its files cannot be published."""
    return msgspec.structs.replace(entry, photograph=None, photographs=())


def _of(scheme: Scheme, today: date) -> Iterator[ShownCase]:
    if terms.why_off(scheme) is not None:
        return
    policy = reach.MinorsPolicy(dpia_allows=terms.terms_of(scheme).dpia_allows_minors)
    in_scheme = acts.premises_in(scheme)
    in_force = Case.objects.filter(scheme=scheme, state__in=IN_FORCE, last_on__gte=today, individual__erased_at=None)
    shown = Photograph.objects.filter(SHOWN_TO_READERS)
    cases = in_force.select_related("individual__scheme").prefetch_related(
        "listed", Prefetch("individual__photographs", shown, to_attr="shown_ones")
    )
    found: list[ShownCase] = []
    for case in cases.order_by("-number"):
        entry = _entry(case, policy, in_scheme, today)
        if entry is None:
            continue
        if len(found) == ENTRIES_MAX:
            logger.error("scheme %s shows more than %d people: the oldest are left out", scheme, ENTRIES_MAX)
            break
        ones: list[Photograph] = getattr(case.individual, "shown_ones", [])
        found.append(ShownCase(entry, ones[0].file if ones else None))
    yield from reversed(found)


def _entry(case: Case, policy: reach.MinorsPolicy, in_scheme: frozenset[int], today: date) -> GalleryEntry | None:
    """What shops are shown of a case; ``None`` = nothing."""
    individual = case.individual
    if not reach.is_shown(case.shown(today), policy, today) or case.first_on is None or case.last_on is None:
        return None
    premises = None
    if case.scope == "listed":
        listed = frozenset(one.pk for one in case.listed.all())
        premises = tuple(sorted(reach.covered("listed", listed, in_scheme)))
    try:
        entry = GalleryEntry(
            case=case.number,
            reference=individual.reference,
            category=cast("Category", case.category),
            not_before_s=period.start_s(case.first_on),
            not_after_s=period.end_s(case.last_on),
            name=display_text(individual.name, NAME_CHARS_MAX),
            premises=premises,
        )
        return msgspec.json.decode(msgspec.json.encode(entry), type=GalleryEntry)
    except (msgspec.MsgspecError, ValueError) as e:
        logger.warning("case %s is not published: %s", case, e)
        return None


def _files(folder: Path, photograph: str) -> dict[PhotographSize, tuple[PhotographEntry, Path]]:
    """Sizes of a photograph whose files are there."""
    found: dict[PhotographSize, tuple[PhotographEntry, Path]] = {}
    for size in SIZES:
        path = folder / f"{photograph}.{size}"
        try:
            found[size] = (_measured(path, size), path)
        except (OSError, ValueError) as e:
            logger.warning("a photograph is not published: %s: %s", path.name, e)
    return found


def _measured(path: Path, size: PhotographSize) -> PhotographEntry:
    """What a manifest says of a file; read again only if the file is another."""
    status = path.stat()
    if status.st_size > PHOTOGRAPH_BYTES_MAX:
        raise ValueError(f"too large: {status.st_size} bytes")
    mark = status.st_mtime_ns, status.st_ino, status.st_size
    known = _known.get(path)
    if known is None or known[0] != mark:
        if len(_known) >= _KNOWN_MAX:
            _known.clear()
        data = path.read_bytes()
        known = mark, PhotographEntry(size=size, sha256=sha256(data).hexdigest(), file_bytes=len(data))
        _known[path] = known
    return known[1]
