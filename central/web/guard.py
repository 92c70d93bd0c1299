"""The guard before every route: only this machine's own name is answered, only our own page may act or listen.

There are no accounts yet: anyone who reaches the page may act, so another site's script in the same browser must not.
The Host must be a loopback name (against DNS rebinding), a request from another site is refused, and an action needs a
header that a form cannot send.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.web_server import is_loopback

ACTION_HEADER: Final = "x-watchlink"

_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9.-]+))(?::[0-9]{1,5})?")
"""A name or an address, and a port; no user, path or query, as in a URL."""

_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
SECURITY_HEADERS: Final = {
    "content-security-policy": _CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), screen-wake-lock=(self)",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """ASGI middleware: refuses a request, or passes it on and adds security headers to the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = refuse(scope["method"], scope["path"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        else:
            status, reason = refusal
            answer = JSONResponse({"type": "refused", "reason": reason}, status)
            await answer(scope, receive, send_with_headers)


def refuse(method: str, path: str, headers: Headers) -> tuple[int, str] | None:
    """Status and sentence if the request must be refused, else ``None``."""
    host = headers.get("host", "")
    named = _HOST.fullmatch(host)
    if named is None or not is_loopback(named["address"] or named["name"]):
        return 421, "Open this page on central's own machine, as 127.0.0.1 or localhost."
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return 403, "Another site may not use this page."
    is_page_opened = method == "GET" and path == "/"
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"} and not is_page_opened:
        return 403, "Another site may not use this page."
    if method not in {"GET", "HEAD"} and headers.get(ACTION_HEADER) != "1":
        return 403, f"Actions need the header {ACTION_HEADER}: 1."
    return None
