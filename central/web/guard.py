"""The guard before every route: only our own names are answered, and only our own pages may act or listen.

The Host must be a name that we are opened by (against DNS rebinding), a request from another site is refused, an action
needs a header that a form cannot send, and a form must say that it comes from our own page. Who somebody is, and what
they may do, is not judged here.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.loopback import is_loopback
from runtime.web_headers import SECURITY_HEADERS, TRANSPORT_SECURITY

ACTION_HEADER: Final = "x-watchlink"
ENTER: Final = "/enter"
WAKE: Final = "/wake/"
FORMS: Final = frozenset({"/sign-in/code", "/sign-out", "/sign-out-everywhere"})
"""Where forms are sent: they cannot set headers, so they must say where they come from."""

_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9.-]+))(?::(?P<port>[0-9]{1,5}))?")
"""A name or an address, and a port; no user, path or query, as in a URL."""


class Site(Struct, frozen=True):
    """How browsers reach the page.

    Attributes:
        names: host names and addresses besides this machine's own.
        is_tls: by HTTPS.
        port: on which they do; 0 = whatever the browser says.
    """

    names: frozenset[str] = frozenset()
    is_tls: bool = False
    port: int = 0

    def host_name(self, host: str) -> str | None:
        """The name in a Host header, without the port; ``None`` = not ours."""
        named = _HOST.fullmatch(host)
        if named is None:
            return None
        name = (named["address"] or named["name"]).lower().rstrip(".")
        return name if is_loopback(name) or name in self.names else None

    def has_port(self, host: str) -> bool:
        """Whether a Host header of ours names our port. Another program's page may have our name, but not our port."""
        named = _HOST.fullmatch(host)
        told = None if named is None else named["port"]
        return not self.port or int(told or (443 if self.is_tls else 80)) == self.port

    def origin(self, host: str) -> str:
        """The origin of a page opened by that Host header."""
        return f"{'https' if self.is_tls else 'http'}://{host}"


class Guard:
    """ASGI middleware: refuses a request, or passes it on and adds security headers to the answer."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
                # A browser would remember it for every program on this machine's own name.
                if self._site.is_tls and not is_loopback(self._site.host_name(given.get("host", "")) or "localhost"):
                    headers["strict-transport-security"] = TRANSPORT_SECURITY
            await send(message)

        refusal = refuse(scope["method"], scope["path"], given, self._site)
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        else:
            status, reason = refusal
            answer = JSONResponse({"type": "refused", "reason": reason}, status)
            await answer(scope, receive, send_with_headers)


def refuse(method: str, path: str, headers: Headers, site: Site) -> tuple[int, str] | None:
    """Status and sentence if the request must be refused, else ``None``."""
    host = headers.get("host", "")
    if site.host_name(host) is None:
        others = f" or {', '.join(sorted(site.names))}" if site.names else ""
        return 421, f"Open this page on central's own machine, as 127.0.0.1 or localhost{others}."
    if not site.has_port(host):
        return 421, f"Open this page on port {site.port}."
    # A notice by e-mail may be opened in a page of somebody's.
    is_opened = method == "GET" and (path in {"/", ENTER} or path.startswith(WAKE))
    is_form = path in FORMS
    is_foreign = headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}
    origin = headers.get("origin")
    changes = method not in {"GET", "HEAD"}
    reason = None
    if origin not in {None, site.origin(host)} or (is_foreign and not is_opened):
        reason = "Another site may not use this page."
    elif path == ENTER and (method != "GET" or not _is_opened_by_person(headers)):
        reason = "Open this link by pressing it."
    elif changes and is_form and origin is None:
        reason = "Send this form from Watchlink's own page."
    elif changes and not is_form and headers.get(ACTION_HEADER) != "1":
        reason = f"Actions need the header {ACTION_HEADER}: 1."
    return None if reason is None else (403, reason)


def _is_opened_by_person(headers: Headers) -> bool:
    """Not a picture, a frame, a script or a guess of the browser's: those would use up the ticket."""
    is_guess = "sec-purpose" in headers or headers.get("purpose") == "prefetch"
    is_page = headers.get("sec-fetch-mode", "navigate") == "navigate"
    return is_page and headers.get("sec-fetch-dest", "document") == "document" and not is_guess
