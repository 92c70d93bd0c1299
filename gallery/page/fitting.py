"""``/fit``: how a tablet is made to trust the unit's page. All of it may be read by anybody in the shop's network.

===== =========== ==========================================================
GET   /fit         what to install, and the fingerprint to compare it with
GET   /fit/ca.crt  the town's web CA, as Android and iPad install it
===== =========== ==========================================================
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from gallery.page.drawing import Drawing


def fit_routes(drawing: Drawing, root: Callable[[], x509.Certificate | None], urls: tuple[str, ...]) -> list[BaseRoute]:
    """Both.

    Args:
        drawing: draws.
        root: the town's web CA; ``None`` = the office has not told it yet.
        urls: where the page is found by TLS, the one to be preferred first; ``HOST`` stands for how this one was asked.
    """

    async def fit(request: Request) -> Response:
        found = root()
        values = {
            "fingerprint": None if found is None else spaced(found.fingerprint(hashes.SHA256())),
            "urls": [url.replace("HOST", request.url.hostname or "") for url in urls],
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


def spaced(digest: bytes) -> str:
    """As browsers and systems show a fingerprint: pairs in capitals, with colons."""
    return digest.hex(":").upper()
