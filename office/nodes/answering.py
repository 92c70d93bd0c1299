"""Makes what a node is answered: changes, and the rows that are sealed to it."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from office.gallery.holders import LineHolders
from office.gallery.line_keys import TextKeys, photograph_key
from office.nodes.galleries import Galleries, Gallery
from office.nodes.outcomes import NodeOutcomes
from office.nodes.rules.asking import Asker
from office.nodes.rules.lease import leases
from office.nodes.rules.news import WHOLE, ahead_of, change_from, is_staff_news, must_destroy
from office.nodes.staff import Staff, StaffList
from office.nodes.store import Store, StoreError
from runtime.web_connections import Peer
from wire.gallery_contact import (
    ANSWER_BYTES_MAX,
    GalleryAnswer,
    GalleryChange,
    GalleryQuestion,
    Held,
    encode_answer,
)
from wire.gallery_keys import Holder, KeyRow, LineKeys, seal_row
from wire.gallery_lines import GalleryLine
from wire.gallery_reports import Outcomes
from wire.gallery_views import ViewHead
from wire.ids import NodeId
from wire.snapshots import Town

logger = logging.getLogger(__name__)

SENT_LATELY_S: Final = 20.0
"""Who was sent the whole is not sent it again so soon."""


class News(msgspec.Struct, frozen=True):
    """What is to be told.

    Attributes:
        changes: scheme → number from which its change starts.
        staff: who may sign in; ``None`` = that is not new.
        outcomes: of the node's reports; ``None`` = it holds them.
    """

    changes: Mapping[int, int] = {}
    staff: StaffList | None = None
    outcomes: Outcomes | None = None


NOTHING: Final = News()
_Sent = tuple["weakref.ref[Peer] | None", Mapping[int, tuple[str, int]]]
"""By which connection; and of each scheme for whom the rows were made, and the number of their gallery."""
_NOTHING_SENT: Final[_Sent] = (None, {})
_NOBODY_KNOWS: Final = ""
"""The rows of before, or those that are under way."""


class Answering:
    """For any thread.

    Args:
        town: ours.
        galleries: what is published.
        text_keys: of their lines.
        photographs_key: opens the keys of photographs.
        store: for whom rows were made.
        staff: who may sign in where.
        outcomes: what nodes are told of their reports.
    """

    def __init__(
        self,
        town: Town,
        galleries: Galleries,
        text_keys: TextKeys,
        photographs_key: bytes,
        store: Store,
        *,
        staff: Staff,
        outcomes: NodeOutcomes,
    ) -> None:
        self._town = town
        self._galleries = galleries
        self._staff = staff
        self._outcomes = outcomes
        self._text_keys = text_keys
        self._photographs_key = photographs_key
        self._store = store
        self._lock = threading.Lock()
        self._sent: dict[tuple[NodeId, int], tuple[int, str, float]] = {}
        self._rows_made = store.rows_made()
        self._underway: dict[NodeId, _Sent] = {}
        self._staff_sent: dict[NodeId, tuple[str, float]] = {}

    def news(self, asker: Asker, question: GalleryQuestion) -> News | None:
        """What is to be told; ``None`` = nothing, which can wait."""
        found = News(
            self._changes(asker, question.holds),
            self._staff_news(asker, question.staff),
            self._outcomes.news(asker.node, question.outcomes),
        )
        return None if found == NOTHING and not must_destroy(question.holds, asker.schemes) else found

    def _changes(self, asker: Asker, holds: Sequence[Held]) -> dict[int, int]:
        held = {one.scheme: one for one in holds}
        found: dict[int, int] = {}
        for scheme in sorted(asker.schemes):
            gallery = self._galleries.of(scheme)
            if gallery is None:
                continue
            after = change_from(
                held.get(scheme),
                gallery.holders,
                are_rows_good=self._rows_made.get((asker.node, scheme)) == holder_text(asker),
                was_sent_lately=self._was_sent_lately(asker, scheme, gallery.head.number),
            )
            if after is not None:
                found[scheme] = after
        return found

    def _staff_news(self, asker: Asker, named: str | None) -> StaffList | None:
        newest = self._staff.of(asker.premises)
        if newest is None:
            return None
        with self._lock:
            digest, at_s = self._staff_sent.get(asker.node, ("", 0.0))
        was_sent_lately = digest == newest.digest and time.monotonic() - at_s < SENT_LATELY_S
        return newest if is_staff_news(named, newest.digest, was_sent_lately=was_sent_lately) else None

    def ahead(self, asker: Asker, holds: Sequence[Held]) -> tuple[tuple[Held, int], ...]:
        """What it holds with a number above the newest of its scheme, and that newest number."""
        newest = {one: gallery.head.number for one in asker.schemes if (gallery := self._galleries.of(one)) is not None}
        return tuple((held, newest[held.scheme]) for held in ahead_of(holds, newest))

    def note_received(self, node: NodeId, peer: Peer, holds: Sequence[Held]) -> None:
        """It asks by the connection by which rows were sent to it, and holds their gallery: it has them. Never raises.

        What went by another may be lost. So may be what it has not kept yet: it says that it holds the one before, or
        none, until it has.
        """
        held = {one.scheme: one.number for one in holds}
        with self._lock:
            sent_by, sent = self._underway.pop(node, _NOTHING_SENT)
            if sent_by is None or sent_by() is not peer:
                return
            kept = {scheme: holder for scheme, (holder, number) in sent.items() if held.get(scheme) == number}
            self._underway[node] = sent_by, {scheme: one for scheme, one in sent.items() if scheme not in kept}
        for scheme, holder in kept.items():
            self._keep_rows_made(node, scheme, holder)

    def note_sent(self, asker: Asker, scheme: int, number: int, peer: Peer) -> None:
        """All rows of a node in this gallery of a scheme are about to be sent to it. Never raises."""
        with self._lock:
            sent_by, sent = self._underway.get(asker.node, _NOTHING_SENT)
            before = sent if sent_by is not None and sent_by() is peer else {}
            self._underway[asker.node] = weakref.ref(peer), {**before, scheme: (holder_text(asker), number)}
        if self._rows_made.get((asker.node, scheme)) != holder_text(asker):
            self._keep_rows_made(asker.node, scheme, _NOBODY_KNOWS)

    def answer(self, asker: Asker, news: News, now_s: int, peer: Peer, holds: Sequence[Held] = ()) -> bytes:
        """The body of an answer.

        Args:
            asker: who asks.
            news: what is to be told.
            now_s: Unix time.
            peer: the connection by which it goes out.
            holds: what it says that it holds.

        Raises:
            wire.hpke.SealError: nothing can be sealed to this node's key.
            office.gallery.line_keys.WrappedKeyError: the key of a photograph cannot be unwrapped.
        """
        proof = self._galleries.proof
        newest = {one: gallery for one in asker.schemes if (gallery := self._galleries.of(one)) is not None}
        told = {scheme: newest[scheme] for scheme in news.changes if scheme in newest}
        changes = {scheme: self._change(asker, gallery, news.changes[scheme]) for scheme, gallery in told.items()}
        heads = {scheme: gallery.head for scheme, gallery in newest.items()}
        lease = leases(asker.schemes, heads, holds, proof, now_s, may_be_copied=self._may_be_copied(asker.node))
        answer = GalleryAnswer(
            now_s=now_s,
            lease_until_s=lease.until_s or now_s,
            schemes=tuple(sorted(asker.schemes)),
            unproven=lease.unproven,
            views_received=None if changes else self._views_received(asker.node),
            open_schemes=tuple(sorted(asker.schemes & self._staff.open_schemes)),
            staff=None if news.staff is None else news.staff.entries,
            outcomes=news.outcomes,
        )
        while True:
            whole = msgspec.structs.replace(answer, changes=tuple(changes.values()))
            data = encode_answer(whole)
            if len(msgspec.json.encode(whole)) <= ANSWER_BYTES_MAX and len(data) <= ANSWER_BYTES_MAX:
                break
            largest = max(changes, key=lambda scheme: len(msgspec.json.encode(changes[scheme])))
            changes[largest] = GalleryChange(scheme=largest, head=changes[largest].head)
        for scheme, change in changes.items():
            if change.after:
                continue
            with self._lock:
                self._sent[asker.node, scheme] = (told[scheme].head.number, holder_text(asker), time.monotonic())
            # Who is to fetch files is sent its rows by them.
            if change.after is not None:
                self.note_sent(asker, scheme, told[scheme].head.number, peer)
        if news.staff is not None:
            with self._lock:
                self._staff_sent[asker.node] = news.staff.digest, time.monotonic()
        return data

    def rows(self, asker: Asker, gallery: Gallery, after: int = WHOLE) -> tuple[KeyRow, ...]:
        """The node's rows of lines that became what they are after this number. Raises as :meth:`answer`."""
        scheme = gallery.head.scheme
        holder = Holder(self._town, scheme, asker.node)
        return tuple(
            seal_row(self._keys(scheme, line, holders, asker.premises), line, holder, asker.sealing_key)
            for line, holders in gallery.lines_for(asker.premises, after)
        )

    def _change(self, asker: Asker, gallery: Gallery, after: int) -> GalleryChange:
        gone = gallery.holders.gone_after(after)
        if gone is None:
            after, gone = WHOLE, ()
        return GalleryChange(
            scheme=gallery.head.scheme,
            head=msgspec.Raw(gallery.sealed),
            after=after,
            lines=gallery.lines.after(after).decode(),
            gone=gone,
            keys=self.rows(asker, gallery, after),
        )

    def _keys(self, scheme: int, line: GalleryLine, holders: LineHolders, premises: int) -> LineKeys:
        photograph = None
        if line.photograph is not None:
            photograph = photograph_key(self._photographs_key, line.photograph, holders.wrapped_key or b"")
        text = self._text_keys.of(scheme, line.case, line.since)
        return LineKeys(text, photograph, here=bool(premises) and premises in holders.here)

    def _views_received(self, node: NodeId) -> ViewHead | None:
        try:
            head = self._store.views_received(node)
        except StoreError:
            return None
        return head if head.n else None

    def _may_be_copied(self, node: NodeId) -> bool:
        try:
            return self._store.has_fork(node)
        except StoreError:
            return False  # Said where it is noted; whom the office revokes is gone from shops all the same.

    def _keep_rows_made(self, node: NodeId, scheme: int, holder: str) -> None:
        if self._rows_made.get((node, scheme), _NOBODY_KNOWS) == holder:
            return
        self._rows_made[node, scheme] = holder
        try:
            self._store.note_rows_made(node, scheme, holder)
        except StoreError as e:
            # Whom the office revokes is gone from shops although its disk is full.
            logger.error("what was sent to a node is not kept: %s", e)  # noqa: TRY400 - the sentence says it all

    def _was_sent_lately(self, asker: Asker, scheme: int, number: int) -> bool:
        with self._lock:
            *sent, at_s = self._sent.get((asker.node, scheme), (0, "", 0.0))
        return sent == [number, holder_text(asker)] and time.monotonic() - at_s < SENT_LATELY_S


def holder_text(asker: Asker) -> str:
    """For whom rows are made: where the node stands, and what is sealed to it."""
    return f"{asker.premises} {asker.sealing_key.hex()}"
