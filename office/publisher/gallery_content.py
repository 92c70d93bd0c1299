"""Who is shown in shops today, scheme by scheme. One unusable row is left out and never stops the rest."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
from office.members.models import Premises
from office.people.models import SHOWN_TO_READERS, Photograph
from wire.gallery_lines import (
    ENTRIES_MAX,
    LISTED_MAX,
    PHOTOGRAPH_BYTES_MAX,
    Category,
    EntryText,
    PhotographEntry,
    PhotographSize,
)
from wire.text import display_text

logger = logging.getLogger(__name__)

SIZES: Final[tuple[PhotographSize, ...]] = get_args(PhotographSize)
NAME_CHARS_MAX: Final = 120
_AT_ONCE: Final = 500
_KNOWN_MAX: Final = 2 * ENTRIES_MAX * len(SIZES)
_known: dict[Path, tuple[tuple[int, int, int], PhotographEntry]] = {}
_read_text: Final = msgspec.json.Decoder(EntryText).decode
Own = Mapping[int, Mapping[int, str]]
"""Of each member its premises in the scheme, with their names."""


class ShownCase(Struct, frozen=True, kw_only=True):
    """An exclusion to show: all that its line and its keys' holders are made of.

    Attributes:
        premises: numbers of those that may be shown it; ``None`` = all of the scheme.
        here: numbers of those that it concerns in particular.
        photograph: names its encrypted files; ``None`` = there is none, or it is not cropped yet.
        wrapped_key: of the photograph.
        photographs: sizes; none before the files are read.
    """

    case: int
    text: EntryText
    not_before_s: int
    not_after_s: int
    premises: tuple[int, ...] | None = None
    here: tuple[int, ...] = ()
    photograph: str | None = None
    wrapped_key: bytes | None = None
    photographs: tuple[PhotographEntry, ...] = ()


def shown_cases(today: date) -> dict[int, tuple[ShownCase, ...]]:
    """By number of the scheme, in the order of the cases. A scheme whose register is off shows nobody."""
    return {scheme.number: tuple(_of(scheme, today)) for scheme in Scheme.objects.order_by("number")}


def with_photographs(shown: Iterable[ShownCase], folder: Path) -> Iterator[tuple[ShownCase, dict[str, Path]]]:
    """Each case with the sizes of its photograph, and the file of each ciphertext by its SHA-256.

    Args:
        shown: cases.
        folder: of the encrypted files.
    """
    for case in shown:
        files = {} if case.photograph is None else _files(folder, case.photograph)
        if not files:
            yield without_photographs(case), {}
            continue
        sizes = tuple(entry for entry, _ in files.values())
        yield (
            msgspec.structs.replace(case, photographs=sizes),
            {entry.sha256: path for entry, path in files.values()},
        )


def without_photographs(case: ShownCase) -> ShownCase:
    """The same case, for when its files are not there or cannot be published."""
    return msgspec.structs.replace(case, photograph=None, wrapped_key=None, photographs=())


def _of(scheme: Scheme, today: date) -> Iterator[ShownCase]:
    if terms.why_off(scheme) is not None:
        return
    policy = reach.MinorsPolicy(dpia_allows=terms.terms_of(scheme).dpia_allows_minors)
    in_scheme = acts.premises_in(scheme)
    own: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for number, member, name in Premises.objects.filter(schemes=scheme).values_list("pk", "member_id", "name"):
        own[member][number] = name
    in_force = Case.objects.filter(scheme=scheme, state__in=IN_FORCE, last_on__gte=today, individual__erased_at=None)
    shown = Photograph.objects.filter(SHOWN_TO_READERS)
    cases = in_force.select_related("individual__scheme").prefetch_related(
        "listed", Prefetch("individual__photographs", shown, to_attr="shown_ones")
    )
    found: list[ShownCase] = []
    # In parts: ten thousand whole cases at once would be 100 MB.
    for case in cases.order_by("-number").iterator(chunk_size=_AT_ONCE):
        one = _shown(case, policy, in_scheme, own, today)
        if one is None:
            continue
        if len(found) == ENTRIES_MAX:
            logger.error("scheme %s shows more than %d people: the oldest are left out", scheme, ENTRIES_MAX)
            break
        found.append(one)
    yield from reversed(found)


def _shown(
    case: Case, policy: reach.MinorsPolicy, in_scheme: frozenset[int], own: Own, today: date
) -> ShownCase | None:
    """What shops are shown of a case; ``None`` = nothing."""
    individual = case.individual
    if not reach.is_shown(case.shown(today), policy, today) or case.first_on is None or case.last_on is None:
        return None
    scope: reach.Scope = "listed" if case.scope == "listed" else "all"
    listed = frozenset(one.pk for one in case.listed.all()) if scope == "listed" else frozenset()
    covered = reach.covered(scope, listed, in_scheme)
    theirs = own.get(case.nominating_member_id or 0, {})
    premises = tuple(sorted(covered)) if scope == "listed" else None
    photographs: list[Photograph] = getattr(individual, "shown_ones", [])
    try:
        text = EntryText(
            reference=individual.reference,
            category=cast("Category", case.category),
            name=display_text(individual.name, NAME_CHARS_MAX),
        )
        return _checked(
            ShownCase(
                case=case.number,
                text=_read_text(msgspec.json.encode(text)),
                not_before_s=period.start_s(case.first_on),
                not_after_s=period.end_s(case.last_on),
                premises=premises,
                here=tuple(sorted(reach.concerned(scope, covered, theirs, case.happened_at))),
                photograph=photographs[0].file if photographs else None,
                wrapped_key=bytes(photographs[0].wrapped_key) if photographs else None,
            )
        )
    except (msgspec.MsgspecError, ValueError) as e:
        logger.warning("case %s is not published: %s", case, e)
        return None


def _checked(one: ShownCase) -> ShownCase:
    if not 0 <= one.not_before_s < one.not_after_s:
        raise ValueError(f"from {one.not_before_s} to {one.not_after_s}")
    if one.premises is not None and not 0 < len(one.premises) <= LISTED_MAX:
        raise ValueError(f"listed for {len(one.premises)} premises")
    return one


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
    """What a line says of a file; read again only if the file is another."""
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
