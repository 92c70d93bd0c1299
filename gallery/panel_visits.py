"""Visits to the gallery by the unit's own panel: the rules of :mod:`gallery.panel`, on a thread of their own.

The node lends its panel (docs/gallery-socket.md) and sends keys; the gallery answers with faces. One visit at a time.
"""

from __future__ import annotations

import logging
import queue
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gallery.core.effects import AnswerSignIn, CloseSession, NotShown, RedrawPages, RefuseView
from gallery.core.events import Pin, SignInAsked, ViewAsked
from gallery.page.ports import PANEL_SESSION, GalleryPort, Opened, Snapshot
from gallery.panel import visit as rules
from gallery.panel.fitting import Fitting
from gallery.panel.visit import Banned, Colleague, Key, Leave, Listed, Look, Order, SignInWith, Step, Visit
from gallery.pictures.marking import NotShownError, Pictures
from gallery.pictures.terms import PanelPlace
from wire.gallery_lines import PhotographSize
from wire.gallery_socket import PanelFace, PanelKey, PanelVisit, VisitOver

logger = logging.getLogger(__name__)

_SMALL_PX: Final = 64
"""Up to this the small size of a photograph will do."""
_STOP_WAIT_S: Final = 5.0
Said = PanelVisit | PanelKey | VisitOver
"""What the node says of visits."""
_T = TypeVar("_T")


class _Now(Struct, frozen=True):
    """The visit that is.

    Attributes:
        number: the node's.
        place: for a photograph.
        session: as we have called it; it becomes one with the right PIN.
        pixels: of whom is shown.
    """

    number: int
    place: PanelPlace
    session: str
    visit: Visit
    pixels: bytes = b""


class PanelVisits:
    """For any thread.

    Args:
        gallery: the one thread that decides.
        pictures: read photographs.
        say: sends a face to the node; drops it if there is none. Called on our thread.
        fitting: how a tablet is fitted, asked at the beginning of each visit.
    """

    def __init__(
        self,
        gallery: GalleryPort,
        pictures: Pictures,
        say: Callable[[PanelFace], None],
        fitting: Callable[[], Fitting] = Fitting,
    ) -> None:
        self._gallery = gallery
        self._pictures = pictures
        self._say = say
        self._fitting = fitting
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._now: _Now | None = None
        self._said: PanelFace | None = None
        self._thread = threading.Thread(target=self._run, name="gallery panel", daemon=True)
        gallery.changed(self._changed)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def take(self, line: Said) -> None:
        """The node says this."""
        self._orders.put(lambda: self._take(line))

    def gone(self) -> None:
        """The node is no longer connected."""
        self._orders.put(self._end)

    def stop(self) -> bool:
        """End the visit; returns whether the thread has ended in time."""
        self._orders.put(self._end)
        self._orders.put(None)
        self._thread.join(_STOP_WAIT_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                order()
            except Exception:
                # The panel goes back to the node; the page is as it was.
                logger.exception("a visit by the panel has failed")
                self._end()

    def _take(self, line: Said) -> None:
        match line:
            case PanelVisit(visit=number):
                self._end()
                # A node that was started anew counts from one again.
                self._said = None
                place = PanelPlace(line.width_px, line.height_px, line.mode)
                visit = rules.begin(listed(self._gallery.snapshot()), self._fitting())
                self._now = _Now(number, place, _new_session(), visit)
                self._show()
            case PanelKey(visit=number, key=key):
                if self._now is not None and self._now.number == number:
                    self._gallery.use(self._now.session)
                    self._go_on(*rules.press(self._now.visit, Key(key)))
            case VisitOver(visit=number):
                if self._now is not None and self._now.number == number:
                    self._end()

    def _go_on(self, visit: Visit, order: Order | None) -> None:
        now = self._now
        if now is None:
            return
        # A face stays on the panel only while nothing else is asked for.
        is_same = order is None and rules.shown(visit) == rules.shown(now.visit)
        pixels = now.pixels if visit.record and is_same else b""
        self._now = now = replace(now, visit=visit, pixels=pixels)
        match order:
            case SignInWith(person, pin):
                self._sign_in(now, person, pin)
            case Look():
                self._look(now, order)
            case Leave():
                self._gallery.sign_out(now.session)
                # A session is never used twice.
                self._now = replace(now, session=_new_session())
            case None:
                pass
        self._show()
        if visit.step is Step.OVER:
            self._now = None

    def _sign_in(self, now: _Now, person: int, pin: str) -> None:
        session = _new_session()
        self._now = replace(now, session=session)
        future = self._gallery.sign_in(SignInAsked(session, person, Pin(pin)))
        self._then(future, lambda answer: self._answered(session, answer))

    def _answered(self, session: str, answer: AnswerSignIn) -> None:
        now = self._now
        if now is None or now.session != session:
            # Whoever typed it has left: nobody is signed in for it.
            self._gallery.sign_out(session)
            return
        visit, _ = rules.relisted(now.visit, listed(self._gallery.snapshot()))
        self._go_on(*rules.answered(visit, answer))

    def _look(self, now: _Now, look: Look) -> None:
        size: PhotographSize = "small" if now.place.width_px <= _SMALL_PX else "portrait"
        asked = ViewAsked(secrets.token_hex(16), now.session, look.scheme, look.case, "panel")
        session = now.session
        self._then(self._gallery.view(asked, size), lambda answer: self._seen(session, look, answer))

    def _seen(self, session: str, look: Look, answer: Opened | RefuseView) -> None:
        now = self._now
        if now is None or now.session != session:
            return
        if isinstance(answer, RefuseView):
            if answer.why is NotShown.SIGNED_OUT:
                self._end()
            else:
                self._go_on(rules.refused(now.visit, look, answer.why), None)
            return
        pixels = self._pixels(answer, now.place)
        visit = rules.looked(now.visit, look, answer.number, has_picture=bool(pixels))
        self._now = replace(now, visit=visit, pixels=pixels if visit is not now.visit else now.pixels)
        self._show()

    def _pixels(self, opened: Opened, place: PanelPlace) -> bytes:
        if opened.photograph is None:
            return b""
        try:
            return self._pictures.for_panel(opened.photograph, place)
        except NotShownError:
            return b""

    def _changed(self, what: CloseSession | RedrawPages) -> None:
        """On the core's thread."""
        if isinstance(what, CloseSession):
            session = what.session
            self._orders.put(lambda: self._closed(session))
        else:
            self._orders.put(self._relisted)

    def _closed(self, session: str) -> None:
        if self._now is not None and self._now.session == session:
            self._end()

    def _relisted(self) -> None:
        if self._now is not None:
            self._go_on(*rules.relisted(self._now.visit, listed(self._gallery.snapshot())))

    def _end(self) -> None:
        now, self._now = self._now, None
        if now is not None:
            self._gallery.sign_out(now.session)
            self._say(PanelFace(visit=now.number, is_over=True))

    def _show(self) -> None:
        now = self._now
        if now is None:
            return
        face = rules.face(now.visit)
        is_over = now.visit.step is Step.OVER
        line = PanelFace(
            visit=now.number,
            headline=face.headline,
            lines=face.lines,
            picture=now.pixels if face.has_picture else b"",
            is_over=is_over,
        )
        if line != self._said:
            self._said = line
            self._say(line)

    def _then(self, future: Future[_T], take: Callable[[_T], None]) -> None:
        """Go on with its result on our thread; if it has none, the visit is over."""

        def done(answered: Future[_T]) -> None:
            if answered.cancelled() or answered.exception() is not None:
                self._orders.put(self._end)
            else:
                self._orders.put(lambda: take(answered.result()))

        future.add_done_callback(done)


def _new_session() -> str:
    return f"{PANEL_SESSION}{secrets.token_hex(16)}"


def listed(snapshot: Snapshot) -> Listed:
    """What the panel can list: everybody who may be shown, newest first, whatever the scheme."""
    on = [scheme for scheme in snapshot.schemes if scheme.off is None]
    off = next((scheme.off for scheme in snapshot.schemes), None) if not on else None
    people = sorted(
        (person for scheme in on for person in scheme.people), key=lambda person: person.not_before_s, reverse=True
    )
    return Listed(
        off,
        tuple(Colleague(one.person, one.name) for one in snapshot.staff if one.has_pin),
        tuple(
            Banned(one.scheme, one.case, one.since, one.text.reference, one.text.name, one.last_day) for one in people
        ),
    )
