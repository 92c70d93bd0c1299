"""The public page: who is responsible, how to ask, appeal and complain, and the long privacy notice.

A listener of its own, for anybody. It sets no cookie, knows no session and answers from the texts it was handed. It
must never import the register or a database: a contract of imports and a test see to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from office.public_texts import PublicTexts

CSS: Final = Path(__file__).parent / "static" / "css"
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "max-age=60",
}
PAGE: Final = """\
## Who is responsible
{responsible}
## How to ask what is held about you
Write, telephone or come by:
{contact}
Give the reference on your paper, or your name and date of birth. If you have neither and think we hold your face, \
send a picture or come by: a person compares, never a machine, and the picture is not kept.
You are answered within a month, free of charge. You may also have it corrected, restricted or erased, and object.
## How to appeal
Tell us at any time why the {paper_title} should end or be shorter:
{contact}
It is no court order and no criminal record.
## How to complain
{contact}
Your complaint is acknowledged within 30 days and answered without delay.
You may also complain to the Information Commissioner’s Office: ico.org.uk, 0303 123 1113.
"""
OWN_NOTICE: Final = """\
## Privacy notice: what is held, and why
Members of the scheme exclude people for what they have done in or near their premises: to prevent and detect crime \
and disorder, and to protect staff and customers.
Of such a person the scheme holds name, date of birth, description and address so far as they are known, a photograph, \
what happened, the evidence, what was decided, the notices, appeals and requests.
It holds nothing about ethnicity, religion, health, orientation or politics.
What is held comes from members of the scheme, their staff and cameras, the police and other schemes.
## The law
UK GDPR Article 6(1)(f), or 6(1)(e) where a council is responsible. Article 10 with the Data Protection Act 2018, \
section 10(5) and Schedule 1, paragraphs 10 and 36.
## Who sees it
Named staff of members, the police, police community support officers and the CCTV control room.
Every view is recorded. The police use what they are given under Part 3 of the Act.
## No machine decides
Members vote. There is no face recognition anywhere.
## How long
- Nominations that were not accepted: 28 days.
- After an exclusion: its photograph 28 days, the rest 12 months.
- Requests and complaints: 24 months after the answer.
"""


class PublicPage:
    """An ASGI application. Whoever reads the terms sets :attr:`schemes`, from any thread."""

    def __init__(self) -> None:
        self.schemes: tuple[PublicTexts, ...] = ()
        routes = [
            Route("/", self._all, methods=["GET"]),
            Route("/{slug}/", self._one, methods=["GET"]),
            Mount("/static/css", StaticFiles(directory=CSS)),
        ]
        self._pages: ASGIApp = Starlette(routes=routes, exception_handlers={HTTPException: _not_found})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the server calls it."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._pages(scope, receive, send_with_headers)

    async def _all(self, _: Request) -> Response:
        if len(self.schemes) == 1:
            return _page(self.schemes[0].name, _scheme(self.schemes[0]))
        links = "".join(f'<li><a href="/{escape(one.slug)}/">{escape(one.name)}</a></li>' for one in self.schemes)
        return _page(
            "Exclusion from premises",
            f"<p>Which scheme gave you a paper?</p><ul>{links}</ul>" if links else "<p>Nothing is published yet.</p>",
        )

    async def _one(self, request: Request) -> Response:
        found = next((one for one in self.schemes if one.slug == request.path_params["slug"]), None)
        if found is None:
            raise HTTPException(404)
        return _page(found.name, _scheme(found))


def _scheme(texts: PublicTexts) -> str:
    said = PAGE.format(
        responsible=texts.responsible, contact=texts.contact or "It will be said here.", paper_title=texts.paper_title
    )
    return "".join(_html((said + (texts.notice or OWN_NOTICE)).splitlines()))


def _html(lines: Iterable[str]) -> Iterator[str]:
    """Headings, items and paragraphs; whatever else stands there is text."""
    for line in lines:
        if line.startswith("## "):
            yield f"<h2>{escape(line[3:])}</h2>"
        elif line.startswith("- "):
            yield f"<p>• {escape(line[2:])}</p>"
        elif line.strip():
            yield f"<p>{escape(line)}</p>"


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    sheets = "".join(f'<link rel="stylesheet" href="/static/css/{name}.css">' for name in ("tokens", "office"))
    return HTMLResponse(
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title>{sheets}</head>"
        f'<body><main class="is-narrow"><h1>{escape(title)}</h1>{body}</main></body></html>',
        status,
    )


async def _not_found(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _page("Not found", '<p>There is no such page. <a href="/">Start here.</a></p>', status)
