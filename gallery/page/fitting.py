"""``/fit``: how a tablet is made to trust the unit's page. All of it may be read by anybody in the shop's network.

===== =========== ==========================================================
GET   /fit         what to install, and the fingerprint to compare it with
GET   /fit/ca.crt  the town's web CA, as Android and iPad install it
===== =========== ==========================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from gallery.page.drawing import Drawing
from wire.page_certificate import Address

_HTTPS: Final = 443


class Reached(Struct, frozen=True):
    """Where tablets find the page by TLS.

    Attributes:
        port: of the page; ``None`` = it is not served so.
        addresses: that the unit has now, and its certificate with them.
        name: which works only where the shop's network knows it; empty = none.
    """

    port: int | None = None
    addresses: Callable[[], Sequence[Address]] = tuple
    name: str = ""

    def urls(self, asked: str) -> list[str]:
        """Of the addresses; the one by which this page was ``asked`` for comes first, because it works."""
        hosts = sorted(map(str, self.addresses()), key=lambda one: one != asked)
        return [] if self.port is None else [_url(host, self.port) for host in hosts]

    @property
    def url_by_name(self) -> str:
        """Empty = none."""
        return "" if self.port is None or not self.name else _url(self.name, self.port)


def fit_routes(drawing: Drawing, root: Callable[[], x509.Certificate | None], reached: Reached) -> list[BaseRoute]:
    """Both.

    Args:
        drawing: draws.
        root: the town's web CA; ``None`` = the office has not told it yet.
        reached: where the page is found by TLS.
    """

    async def fit(request: Request) -> Response:
        found = root()
        values = {
            "fingerprint": None if found is None else fingerprint_of(found),
            "urls": reached.urls((request.url.hostname or "").strip("[]")),
            "url_by_name": reached.url_by_name,
            "has_port": reached.port is not None,
        }
        return HTMLResponse(drawing.draw("fit.html", values))

    async def certificate(_request: Request) -> Response:
        found = root()
        if found is None:
            return PlainTextResponse("The office has not told this unit yet.", 404)
        headers = {"content-disposition": 'attachment; filename="watchlink-town.crt"'}
        data = found.public_bytes(serialization.Encoding.DER)
        return Response(data, headers=headers, media_type="application/x-x509-ca-cert")

    return [Route("/fit", fit), Route("/fit/ca.crt", certificate)]


def root_of(file: Path) -> x509.Certificate | None:
    """The town's web CA, as it lies on the disk; ``None`` = it is not there, or cannot be read."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return None


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Its SHA-256 as browsers and systems show it: pairs in capitals, with colons."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _url(host: str, port: int) -> str:
    literal = f"[{host}]" if ":" in host else host
    return f"https://{literal}{'' if port == _HTTPS else f':{port}'}/"
