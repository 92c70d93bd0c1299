"""Carries out what the core orders of the store, and answers with an event. Never raises."""

from __future__ import annotations

import logging
from collections.abc import Callable

from gallery.arrivals import Arrivals
from gallery.core.effects import (
    DestroyKeys,
    DestroyPhotographs,
    DestroyStaff,
    ForgetViews,
    KeepGallery,
    KeepLedger,
    KeepReports,
    KeepStaff,
    KeepVerifier,
    StoreViews,
)
from gallery.core.events import Pin, Stored, StoreRefused
from gallery.store.gallery_store import GalleryStore
from runtime.sqlite_file import StoreRefusedError
from wire.gallery_lines import NO_LINES, Lines

logger = logging.getLogger(__name__)

StoreOrder = (
    KeepLedger
    | DestroyKeys
    | KeepGallery
    | DestroyPhotographs
    | KeepStaff
    | KeepVerifier
    | DestroyStaff
    | StoreViews
    | ForgetViews
    | KeepReports
)


class StoreOrders:
    """In the order given, on the loop's thread.

    Args:
        store: the card.
        arrivals: what came of galleries.
        make_verifier: of a PIN; slow on purpose.
    """

    def __init__(self, store: GalleryStore, arrivals: Arrivals, make_verifier: Callable[[Pin], bytes]) -> None:
        self._store = store
        self._arrivals = arrivals
        self._make_verifier = make_verifier

    def carry_out(self, order: StoreOrder) -> Stored | StoreRefused | None:
        """``None`` = an order that the core expects no answer to."""
        reason = ""
        try:
            self._carry_out(order)
        except StoreRefusedError as e:
            reason = str(e)
        except Exception as e:
            logger.exception("an order failed", extra={"order": type(order).__name__})
            reason = f"{type(e).__name__}: {e}"
        if isinstance(order, ForgetViews):
            if reason:
                logger.warning("views that the office has are still kept: %s", reason)
            return None
        return StoreRefused(order.ticket, reason) if reason else Stored(order.ticket)

    def _carry_out(self, order: StoreOrder) -> None:
        store = self._store
        match order:
            case KeepLedger(_, ledger):
                store.keep_ledger(ledger)
            case DestroyKeys(_, scheme, keys):
                store.destroy_keys(scheme, keys)
            case KeepGallery():
                self._keep_gallery(order)
            case DestroyPhotographs(_, digests):
                store.photographs.destroy(digests)
            case KeepStaff() | KeepVerifier() | DestroyStaff():
                self._staff(order)
            case StoreViews(_, views):
                store.append_views(views)
            case ForgetViews(number):
                store.forget_views(number)
            case KeepReports(_, book):
                store.keep_reports(book)

    def _staff(self, order: KeepStaff | KeepVerifier | DestroyStaff) -> None:
        match order:
            case KeepStaff(_, row):
                self._store.keep_staff(row)
            case KeepVerifier(_, row, pin):
                self._store.keep_verifier(row, self._make_verifier(pin))
            case DestroyStaff(_, person):
                self._store.destroy_staff(person)

    def _keep_gallery(self, order: KeepGallery) -> None:
        scheme, number = order.scheme, order.title.number
        rows = self._arrivals.rows(scheme, order.keys)
        self._store.keep_gallery(order, self._lines(order), rows)
        self._arrivals.forget(scheme, number or order.title.floor, rows)

    def _lines(self, order: KeepGallery) -> Lines:
        if not order.lines:
            return NO_LINES
        came = self._arrivals.lines(order.scheme, order.title.number)
        # Only its title is new: the lines are those that are there.
        return self._store.lines(order.scheme) if came is None else came
