"""The cookies: of a session, of a browser that is about to begin one or has just left one, of a tap, and of a phone.

Cookies ignore ports, so they have names of their own. Under TLS the browser keeps other hosts from setting them.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from central.web.guard import Site

_KEPT_S: Final = 400 * 24 * 3600
"""As long as browsers allow: central decides when a session is over, and one may be held by an open attack."""
_LEFT_S: Final = 60
"""How long a browser is told that its person has signed out."""
_WAKE_S: Final = 900
"""How long a notice that was opened waits for its person to sign in."""
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""32 random bytes."""


class Cookies:
    """Reads and sets them."""

    def __init__(self, site: Site) -> None:
        self._is_tls = site.is_tls
        prefix = "__Host-" if site.is_tls else ""
        self._session, self._door = f"{prefix}watchlink_central", f"{prefix}watchlink_central_door"
        self._left = f"{prefix}watchlink_central_left"
        self._wake = f"{prefix}watchlink_central_wake"
        self._phone = f"{prefix}watchlink_central_phone"

    def session(self, request: Request) -> str | None:
        """The session cookie's value."""
        return request.cookies.get(self._session)

    def door(self, request: Request) -> str:
        """The secret of a browser that is about to sign in; empty = it has none of ours."""
        value = request.cookies.get(self._door, "")
        return value if _VALUE.fullmatch(value) else ""

    def open_door(self, request: Request, response: Response, secret: str) -> None:
        """Give a browser its secret, unless it has it already."""
        if self.door(request) != secret:
            self._set(response, self._door, secret, None)

    def begin(self, response: Response, session: str) -> None:
        """A session begins: the secret that led to it has done its work."""
        self._set(response, self._session, session, _KEPT_S)
        self._delete(response, self._door)
        self._delete(response, self._left)

    def end(self, response: Response) -> None:
        """The person has signed out: the browser keeps nothing that could open the door again, and says so."""
        self._delete(response, self._session)
        self._set(response, self._left, "1", _LEFT_S)

    def has_left(self, request: Request) -> bool:
        """Somebody has just signed out in this browser."""
        return self._left in request.cookies

    def wake(self, request: Request) -> str:
        """What a notice named that was opened before its person had signed in; empty = nothing."""
        value = request.cookies.get(self._wake, "")
        return value if _REFERENCE.fullmatch(value) else ""

    def keep_wake(self, response: Response, reference: str) -> None:
        """Remember it until they have signed in."""
        self._set(response, self._wake, reference, _WAKE_S)

    def forget_wake(self, response: Response) -> None:
        """It has been opened."""
        self._delete(response, self._wake)

    def phone(self, request: Request) -> str:
        """As which phone central knows this browser, whoever has signed in; empty = as none."""
        return request.cookies.get(self._phone, "")

    def keep_phone(self, response: Response, phone: str) -> None:
        """So that its subscription can be told from those of others once the browser has changed it."""
        self._set(response, self._phone, phone, _KEPT_S)

    def _set(self, response: Response, name: str, value: str, kept_s: int | None) -> None:
        response.set_cookie(name, value, max_age=kept_s, httponly=True, samesite="lax", secure=self._is_tls)

    def _delete(self, response: Response, name: str) -> None:
        response.delete_cookie(name, httponly=True, samesite="lax", secure=self._is_tls)


def new_secret() -> str:
    """32 random bytes as text."""
    return secrets.token_urlsafe(32)
