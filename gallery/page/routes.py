"""The page's routes over a :class:`gallery.page.ports.GalleryPort`.

===== =============================== =============================================================================
GET   /                           locked: names to sign in by; else the list, by ``q``, ``only``, ``page``
GET   /people/S/C                 one person, of the scheme's number and the case's
GET   /people/S/C/N/card.jpg      the photograph in a list, watermarked; N is the line's ``since``
GET   /people/S/C/N/portrait.jpg  the same, large
GET   /report, /advice, /status   the other tabs
POST  /sign-in, /pin              who they are and what they typed → :class:`gallery.page.answers.SignInAnswer`
POST  /lock, /use                 somebody locks the page; somebody touches it
POST  /report                     who is here or nearby → :class:`gallery.page.answers.ReportAnswer`
POST  /still                      which of these may still be shown
GET   /stream                     :mod:`gallery.page.streams`
GET   /fit, /fit/ca.crt           :mod:`gallery.page.fitting`
===== =============================== =============================================================================

Everything about a person is for who is signed in, and a view on the disk before it is shown.
"""

from __future__ import annotations

from starlette.routing import Route

from gallery.page.acting import Acting
from gallery.page.showing import Showing


def routes(showing: Showing, acting: Acting) -> list[Route]:
    """All of them, but how a tablet is fitted."""
    gets = {
        "/": showing.gallery,
        "/people/{scheme:int}/{case:int}": showing.person,
        "/people/{scheme:int}/{case:int}/{since:int}/card.jpg": showing.card,
        "/people/{scheme:int}/{case:int}/{since:int}/portrait.jpg": showing.portrait,
        "/report": showing.report_page,
        "/advice": showing.advice,
        "/status": showing.status,
        "/stream": acting.stream,
    }
    posts = {
        "/sign-in": acting.sign_in,
        "/pin": acting.choose_pin,
        "/lock": acting.lock,
        "/use": acting.use,
        "/report": acting.report,
        "/still": acting.still,
    }
    return [
        *(Route(path, handler, methods=["GET"]) for path, handler in gets.items()),
        *(Route(path, handler, methods=["POST"]) for path, handler in posts.items()),
    ]
