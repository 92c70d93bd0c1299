"""What an accepted change makes: keys to destroy first, then lines to keep, then photographs to drop and to fetch.

Nothing here remembers how far it has come: each time something changes, what is there is compared with what should be,
and what is missing or too much is ordered. So a power cut or a refusing disk at any point leaves the same work to do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType

from msgspec.structs import replace

from gallery.core.effects import (
    DestroyKeys,
    DestroyPhotographs,
    FetchPhotographs,
    Held,
    KeepGallery,
    RedrawPages,
)
from gallery.core.events import (
    GalleryTold,
    KeptGallery,
    KeysLost,
    OfficeAnswered,
    PhotographsFailed,
    PhotographsStored,
    SchemeTold,
    Started,
)
from gallery.core.holdings import Gallery, Line, Title, edges_s
from gallery.core.readable import why_off
from gallery.core.state import State
from gallery.core.turn import Turn


def started(turn: Turn, event: Started) -> None:
    """What is on the disk. Whatever of it no line wants any more is destroyed by :func:`settle`."""
    turn.state.galleries = MappingProxyType({kept.scheme: _restored(kept) for kept in event.galleries})
    turn.state.photographs = event.photographs


def _restored(kept: KeptGallery) -> Gallery:
    lines = {line.case: line for line in kept.lines}
    return Gallery(
        kept.scheme,
        title=kept.title,
        disk=kept.title,
        lines=lines,
        edges_s=edges_s(lines),
        keys=kept.keys,
        elsewhere=kept.elsewhere,
    )


def office_answered(turn: Turn, event: OfficeAnswered) -> None:
    """Which schemes, and what is new of them."""
    told = {scheme.scheme: scheme for scheme in event.schemes}
    for gallery in tuple(turn.state.galleries.values()):
        if gallery.scheme not in told and gallery.title.is_allowed:
            turn.change(_left(gallery))
            turn.fact("gallery_left", scheme=str(gallery.scheme))
    for scheme in event.schemes:
        _allow(turn, scheme)
    for gallery_told in event.galleries:
        _take(turn, gallery_told)
    turn.state.failed = frozenset()


def _left(gallery: Gallery) -> Gallery:
    """Its number stays as the floor, so that nothing older is ever taken again."""
    return Gallery(
        gallery.scheme,
        title=Title(floor=gallery.title.floor, is_allowed=False),
        disk=gallery.disk,
        keys=gallery.keys,
        dying=gallery.dying,
        keeping=gallery.keeping,
    )


def _allow(turn: Turn, scheme: SchemeTold) -> None:
    gallery = turn.state.galleries.get(scheme.scheme, Gallery(scheme.scheme))
    title = replace(gallery.title, is_allowed=True, shows_without_proof=scheme.shows_without_proof)
    if title != gallery.title or gallery.disk is None:
        turn.change(replace(gallery, title=title))


def _take(turn: Turn, told: GalleryTold) -> None:
    """A newer gallery, or the same one whole, where something of it was missing."""
    gallery = turn.state.galleries.get(told.scheme)
    if gallery is None or not gallery.title.is_allowed:
        turn.reject("other scheme", scheme=str(told.scheme))
        return
    lines = {line.case: line for line in told.lines}
    title = gallery.title
    is_again = told.number == title.number and told.after == 0 and gallery.lines == lines
    if told.number < title.floor or (told.number == title.number and not is_again):
        turn.reject("older gallery", scheme=str(told.scheme), number=str(told.number), held=str(title.floor))
        return
    elsewhere = _elsewhere(gallery, told)
    taken = replace(
        gallery,
        title=replace(title, number=told.number, floor=told.number, lease_s=told.lease_s),
        lines=lines,
        edges_s=edges_s(lines),
        coming=(gallery.coming | told.keys) & frozenset(line.key for line in told.lines),
        elsewhere=elsewhere,
        unopened=told.unopened | (gallery.unopened & _unchanged(gallery, told)),
        disk=None if is_again else gallery.disk,
        # Until its rows are kept, the office must not believe that they are: the number alone does not tell.
        held=0 if is_again else gallery.held,
        came_whole=told.number if told.after == 0 else gallery.came_whole,
    )
    turn.change(taken)
    turn.fact("gallery_taken", scheme=str(told.scheme), number=str(told.number), lines=str(len(lines)))


def _elsewhere(gallery: Gallery, told: GalleryTold) -> frozenset[int]:
    """A line that came without a key is for other premises; one that did not come is for whom it was."""
    came = (line for line in told.lines if line.since > told.after)
    without_key = frozenset(line.case for line in came if line.key not in told.keys) - told.unopened
    return without_key | (gallery.elsewhere & _unchanged(gallery, told))


def _unchanged(gallery: Gallery, told: GalleryTold) -> frozenset[int]:
    return frozenset(
        line.case for line in told.lines if line.since <= told.after and gallery.lines.get(line.case) == line
    )


def photographs_stored(turn: Turn, event: PhotographsStored) -> None:
    """They are here; what was withdrawn meanwhile goes again."""
    turn.state.fetching -= event.digests
    turn.state.photographs |= event.digests


def photographs_failed(turn: Turn, event: PhotographsFailed) -> None:
    """They are fetched again after the office's next answer."""
    turn.state.fetching -= event.digests
    turn.state.failed |= event.digests
    turn.state.photographs -= event.digests
    turn.reject("photograph", count=str(len(event.digests)))


def keys_lost(turn: Turn, event: KeysLost) -> None:
    """The office is asked for all of it again."""
    gallery = turn.state.galleries.get(event.scheme)
    if gallery is not None:
        turn.change(replace(gallery, keys=gallery.keys - event.keys, came_whole=-1))
        turn.reject("key", scheme=str(event.scheme), count=str(len(event.keys)))


def keys_destroyed(turn: Turn, effect: DestroyKeys, *, is_done: bool) -> None:
    """They are gone, or the store could not."""
    gallery = turn.state.galleries[effect.scheme]
    keys = frozenset(effect.keys)
    turn.change(replace(gallery, keys=gallery.keys - keys if is_done else gallery.keys, dying=gallery.dying - keys))
    if is_done:
        turn.fact("keys_destroyed", scheme=str(effect.scheme), cases=" ".join(str(case) for case, _ in effect.keys))


def gallery_kept(turn: Turn, effect: KeepGallery, *, is_done: bool) -> None:
    """It is on the disk with its keys, or nothing of it is."""
    gallery = turn.state.galleries[effect.scheme]
    if not is_done:
        turn.change(replace(gallery, keeping=None))
        return
    came = effect.keys
    turn.change(
        replace(
            gallery,
            disk=effect.title,
            keeping=None,
            keys=gallery.keys | came,
            coming=gallery.coming - came,
        )
    )


def photographs_destroyed(turn: Turn, effect: DestroyPhotographs, *, is_done: bool) -> None:
    """They are gone, or the store could not."""
    digests = frozenset(effect.digests)
    turn.state.dying -= digests
    if is_done:
        turn.state.photographs -= digests


def settle(turn: Turn) -> None:
    """Order what is missing and what is too much, if anything has changed."""
    state = turn.state
    before = state.settled
    signature = _signature(state)
    if not state.is_started or before == signature:
        return
    proven_s = state.clock.proven_s(turn.now_ms)
    for gallery in tuple(state.galleries.values()):
        if state.may_store:
            _settle_gallery(turn, gallery)
    wanted = {scheme: gallery.wanted(proven_s) for scheme, gallery in state.galleries.items()}
    needed = frozenset(_photographs(chain.from_iterable(wanted.values())))
    _settle_photographs(turn, wanted, needed)
    for gallery in tuple(state.galleries.values()):
        _settle_held(turn, gallery, wanted[gallery.scheme], needed)
    state.holds = tuple(
        _held(state, gallery, wanted[gallery.scheme])
        for gallery in state.galleries.values()
        if gallery.title.is_allowed
    )
    # That the disk may be asked again changes nothing on a page.
    if before is not None and before[:-1] != signature[:-1]:
        turn.order(RedrawPages())
    state.settled = _signature(state)


def _signature(state: State) -> tuple[object, ...]:
    """Everything that :func:`settle` looks at."""
    floor_s, proven_s = state.clock.floor_s(state.now_ms), state.clock.proven_s(state.now_ms)
    galleries = tuple(
        (
            gallery,
            why_off(state.now, gallery),
            bisect_right(gallery.edges_s, floor_s),
            bisect_right(gallery.edges_s, proven_s),
        )
        for gallery in state.galleries.values()
    )
    return galleries, state.photographs, state.fetching, state.failed, state.dying, state.may_store


def _settle_gallery(turn: Turn, gallery: Gallery) -> None:
    scheme = gallery.scheme
    doomed = gallery.doomed(turn.state.clock.proven_s(turn.now_ms))
    fresh = tuple(sorted(doomed - gallery.dying))
    if fresh:
        turn.change(replace(gallery, dying=gallery.dying | doomed))
        turn.store(lambda ticket: DestroyKeys(ticket, scheme, fresh))
    # Keys first: only once they are gone does the disk learn of the gallery that does without them.
    elif not doomed and gallery.keeping is None and gallery.disk != gallery.title:
        turn.change(replace(gallery, keeping=gallery.title))
        lines = tuple(gallery.lines.values())
        turn.store(lambda ticket: KeepGallery(ticket, scheme, gallery.title, lines, gallery.coming, gallery.elsewhere))


def _settle_photographs(turn: Turn, wanted: Mapping[int, tuple[Line, ...]], needed: frozenset[str]) -> None:
    state = turn.state
    if state.may_store:
        # Whoever fetches may be writing it at this moment: it counts as here until it was destroyed.
        stray = state.fetching - needed
        state.fetching -= stray
        state.photographs |= stray
    orphans = tuple(sorted(state.photographs - needed - state.dying))
    if orphans and state.may_store:
        state.dying |= frozenset(orphans)
        turn.store(lambda ticket: DestroyPhotographs(ticket, orphans))
    opened = (
        line
        for scheme, gallery in state.galleries.items()
        if gallery.disk == gallery.title
        for line in wanted[scheme]
        if line.key in gallery.keys
    )
    had = state.photographs | state.fetching | state.failed
    fetched = tuple(dict.fromkeys(digest for digest in _photographs(opened) if digest not in had))
    if fetched:
        state.fetching |= frozenset(fetched)
        turn.order(FetchPhotographs(fetched))


def _photographs(lines: Iterable[Line]) -> Iterable[str]:
    return (digest for line in lines for digest in line.photographs)


def _settle_held(turn: Turn, gallery: Gallery, wanted: tuple[Line, ...], needed: frozenset[str]) -> None:
    """The office is told a number once everything that is not in it has been destroyed."""
    if gallery.came_whole >= 0 and gallery.keys.issuperset(line.key for line in wanted):
        gallery = replace(gallery, came_whole=-1)
        turn.change(gallery)
    state = turn.state
    is_kept = gallery.disk == gallery.title and not gallery.doomed(state.clock.proven_s(turn.now_ms))
    if is_kept and state.photographs | state.fetching <= needed and gallery.held != gallery.title.number:
        turn.change(replace(gallery, held=gallery.title.number))
        turn.fact("gallery_held", scheme=str(gallery.scheme), number=str(gallery.title.number))


def _held(state: State, gallery: Gallery, wanted: tuple[Line, ...]) -> Held:
    if gallery.held != gallery.title.number:
        return Held(gallery.scheme, gallery.held, is_complete=False)
    has_keys = all(line.key in gallery.keys for line in wanted)
    if not has_keys and gallery.came_whole != gallery.title.number:
        return Held(gallery.scheme, 0, is_complete=False)
    has_all = has_keys and all(digest in state.photographs for digest in _photographs(wanted))
    return Held(gallery.scheme, gallery.held, is_complete=has_all)
