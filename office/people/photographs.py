"""Photographs of individuals: taken in, cropped, shown, removed, and looked at.

Whoever takes one in calls :func:`take_in` first, which may take seconds, and then one of the functions that write,
inside :func:`office.accounts.access.acting`. Files are written before the row that opens them is committed, and removed
after it is gone: what is left over by a fault is without a key, and :func:`tidy_photographs` removes it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from msgspec import Struct

from office.accounts.access import person, rights
from office.accounts.models import Account
from office.accounts.rules import TITLES
from office.audit.journal import record
from office.people.forgetting import forget_deleted_rows
from office.people.intake_process import (
    NotMarkedError,
    PhotographRefusedError,
    Picture,
    cut_face,
    marker,
    read_photograph,
)
from office.people.intake_terms import Box, Size
from office.people.models import Individual, Photograph
from office.people.sealing import SealedError, is_older, sealing
from runtime.config import ConfigError
from runtime.watermark_words import signed

logger = logging.getLogger(__name__)

PHOTOGRAPHS_MAX: Final = 10
"""Of one person."""
REMOVAL_REASONS: Final[Mapping[str, str]] = {
    "wrong-person": "It is not this person",
    "poor": "Too poor to know the person by",
    "replaced": "There is a better one",
    "not-needed": "It is no longer needed",
    "objection": "The person has objected, or asked for it",
}
"""A choice, not free text: the audit keeps it for ever, and keeps nothing about people that could not stay."""
LEFT_OVER_AFTER: Final = timedelta(days=1)


class Taken(Struct, frozen=True):
    """A photograph that can be added.

    Attributes:
        original: the file as it was handed in.
        whole: what everybody sees of it.
    """

    original: bytes
    whole: Picture


class Tidied(Struct, frozen=True):
    """What was wrong with the folder of photographs.

    Attributes:
        removed: names of files that nothing opens any more.
        lost: references of individuals a photograph of whom has no file.
    """

    removed: list[str]
    lost: list[str]


def take_in(data: bytes) -> Taken:
    """Read a file that somebody has handed in. Not inside a transaction: it may take seconds.

    Raises:
        PhotographRefusedError: it cannot be used; the message says why and what to do.
    """
    return Taken(data, read_photograph(data))


def photographs_of(own_schemes: frozenset[int]) -> QuerySet[Photograph]:
    """The photographs that exist for a co-ordinator of these schemes."""
    found = Photograph.objects.filter(individual__scheme__in=own_schemes, individual__erased_at=None)
    return found.select_related("individual__scheme", "added_by")


def pictured(own_schemes: frozenset[int]) -> QuerySet[Individual]:
    """The individuals whose photographs a co-ordinator of these schemes looks after."""
    return Individual.objects.filter(scheme__in=own_schemes, erased_at=None).select_related("scheme")


def add_photograph(
    actor: Account, individual: Individual, taken: Taken, *, source: str, taken_on: date | None
) -> Photograph:
    """Keep a photograph. Nobody sees it on a list before it is cropped and chosen.

    Raises:
        PhotographRefusedError: the person has as many as can be.
        OSError: it cannot be written; nothing is kept.
    """
    if individual.photographs.count() >= PHOTOGRAPHS_MAX:
        raise PhotographRefusedError(f"This person has {PHOTOGRAPHS_MAX} photographs already. Remove one first.")
    vault, name = sealing(), secrets.token_hex(16)
    key = vault.new_key(name)
    try:
        sealed_sha256 = vault.write(name, key, "original", taken.original)
        vault.write(name, key, "whole", taken.whole.data)
    except OSError:
        vault.remove(name)
        raise
    photograph = Photograph.objects.create(
        individual=individual,
        file=name,
        wrapped_key=key,
        original_sha256=sha256(taken.original).hexdigest(),
        taken_on=taken_on,
        source=source,
        width=taken.whole.width,
        height=taken.whole.height,
        added_by=actor,
        is_shown=False,
    )
    # Of the encrypted file: once that is gone, nobody can tell by it whose picture was here.
    record(actor, "photograph.added", individual, photograph=photograph.pk, sealed_sha256=sealed_sha256)
    return photograph


def cut(photograph: Photograph, box: Box) -> tuple[Picture, Picture]:
    """Portrait and small picture of a part of a photograph. Not inside a transaction.

    Raises:
        PhotographRefusedError: it cannot be done; the message says why.
        SealedError: the photograph is lost.
    """
    return cut_face(sealing().read(photograph.file, bytes(photograph.wrapped_key), "whole"), box)


def keep_crop(actor: Account, photograph: Photograph, box: Box, face: tuple[Picture, Picture]) -> None:
    """Keep what :func:`cut` has made; it takes the place of what was there.

    Raises:
        OSError: it cannot be written.
    """
    photograph.crop_left, photograph.crop_top = box.left, box.top
    photograph.crop_width, photograph.crop_height = box.width, box.height
    photograph.save(update_fields=["crop_left", "crop_top", "crop_width", "crop_height"])
    record(actor, "photograph.cropped", photograph.individual, photograph=photograph.pk)
    vault, key = sealing(), bytes(photograph.wrapped_key)
    portrait, small = face
    vault.write(photograph.file, key, "portrait", portrait.data)
    vault.write(photograph.file, key, "small", small.data)


def is_cropped(photograph: Photograph) -> bool:
    """Whether there is a portrait that readers could be shown."""
    return photograph.crop_width > 0


def show_photograph(actor: Account, photograph: Photograph) -> None:
    """Make it the one that readers see; it must be cropped."""
    assert is_cropped(photograph)
    photograph.individual.photographs.filter(is_shown=True).update(is_shown=False)
    Photograph.objects.filter(pk=photograph.pk).update(is_shown=True)
    record(actor, "photograph.shown", photograph.individual, photograph=photograph.pk)


def remove_photograph(actor: Account, photograph: Photograph, reason: str) -> None:
    """Remove row, key and files, so that no byte of it can be read again.

    Args:
        actor: who removes it.
        photograph: which.
        reason: one of ``REMOVAL_REASONS``.
    """
    _erase(actor, photograph, reason)


def erase_photographs(actor: Account | None, individual: Individual) -> int:
    """Remove all photographs of a person whose data are erased; how many there were."""
    found = list(individual.photographs.all())
    for photograph in found:
        _erase(actor, photograph, "erasure")
    return len(found)


def remove_again(photograph: Photograph) -> None:
    """Remove what had been removed before the office was restored from a backup."""
    _erase(None, photograph, "erasure")


def _erase(actor: Account | None, photograph: Photograph, reason: str) -> None:
    record(actor, "photograph.removed", photograph.individual, photograph=photograph.pk, reason=reason)
    name = photograph.file
    photograph.delete()
    transaction.on_commit(lambda: _forget(name))


def _forget(name: str) -> None:
    try:
        sealing().remove(name)
    except (OSError, ConfigError) as e:
        logger.warning("files of a removed photograph are still there, without their key: %s", e)
    forget_deleted_rows()


def photograph_response(request: HttpRequest, photograph: Photograph, size: Size, where: str = "") -> HttpResponse:
    """The picture for whoever asks, who is named all over it. The audit keeps that they have seen it.

    The caller has made sure that they may.

    Args:
        request: of the reader.
        photograph: with its individual.
        size: ``small`` for lists, ``portrait`` for one person, ``whole`` for who works on it.
        where: premises in whose name they look; empty = their roles in the person's scheme are named.

    Raises:
        Http404: there is no such picture (any more).
    """
    reader = person(request)
    scheme = photograph.individual.scheme_id
    roles = [TITLES[role] for role, of in sorted(rights(request).grants) if of == scheme and role in TITLES]
    at = timezone.localtime()
    text = f"{signed(reader.name, f'account {reader.pk}')}  {where or ', '.join(roles)}  {at:%-d %b %Y %H:%M}"
    try:
        picture = sealing().read(photograph.file, bytes(photograph.wrapped_key), size)
        marked = marker.mark(picture, text)
    except SealedError as e:
        logger.warning("a photograph of %s is lost: %s", photograph.individual.reference, e)
        raise Http404 from e
    except NotMarkedError:
        logger.warning("a photograph cannot be shown: no watermark could be made")
        return HttpResponse("The photograph cannot be shown just now. Load the page again.", "text/plain", status=503)
    record(reader, "photograph.viewed", photograph.individual, photograph=photograph.pk, size=size)
    headers = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}
    return HttpResponse(marked, "image/jpeg", headers=headers)


def has_files(photograph: Photograph) -> bool:
    """Whether everything that should be there of it is there."""
    vault = sealing()
    needed: list[Size] = ["whole", "portrait", "small"] if is_cropped(photograph) else ["whole"]
    return vault.has(photograph.file, "original") and all(vault.has(photograph.file, size) for size in needed)


def tidy_photographs(now: datetime | None = None) -> Tidied:
    """Remove files that no row opens, and name the photographs that have lost theirs, here and in the log.

    What cannot be done now is logged, and done another day.
    """
    removed: list[str] = []
    lost: list[str] = []
    try:
        vault = sealing()
        files = [one for one in vault.files() if is_older(one, (now or timezone.now()) - LEFT_OVER_AFTER)]
        # Asked after the files were listed: what is added meanwhile is in no list.
        rows = list(Photograph.objects.select_related("individual__scheme"))
        lost += [photograph.individual.reference for photograph in rows if not has_files(photograph)]
        known = {photograph.file for photograph in rows}
        for one in files:
            if one.photograph not in known:
                vault.remove_file(one.name)
                removed.append(one.name)
    except (OSError, ConfigError) as e:
        logger.warning("the photographs cannot be tidied up: %s", e)
    if removed:
        logger.warning("%d files that belonged to no photograph were removed: %s", len(removed), ", ".join(removed))
    if lost:
        logger.warning("%d photographs have lost their files: %s", len(lost), ", ".join(lost))
    return Tidied(removed, lost)
