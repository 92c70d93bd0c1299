"""Runs inside the booted root: the first co-ordinator's browser, which keeps its cookies from one run to the next.

``join LINK`` makes an account and sets up an app for codes; ``enter`` goes from central's door by way of the office
into the control room; ``board`` writes what central's page shows, or how it refuses; ``close`` closes all alerts there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import struct
import sys
import time
from collections.abc import Callable
from http.cookiejar import LWPCookieJar
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, Request, build_opener

CENTRAL: Final = "http://localhost:8080/"
PASSWORD: Final = "correct horse battery staple"
COOKIES: Final = Path("/co-ordinator.cookies")
RECOVERY: Final = Path("/co-ordinator.code")
"""One of the recovery codes: the app's next one would come only in half a minute."""
CODE_S: Final = 30


class Browser:
    """Opens one page after another."""

    def __init__(self) -> None:
        self._cookies = LWPCookieJar(COOKIES)
        if COOKIES.exists():
            self._cookies.load(ignore_discard=True)
        self._opener = build_opener(HTTPCookieProcessor(self._cookies))
        self.url, self.status, self.text = "", 0, ""

    def open(self, url: str, **fields: str) -> None:
        """A page; with ``fields``, the open page's form, with its token against forgery."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.text)
        data = urlencode({**fields, "csrfmiddlewaretoken": token[1] if token else ""}).encode() if fields else None
        self.send(Request(urljoin(self.url, url), data))

    def follow(self, part: str) -> None:
        """The first link with that in its address."""
        self.open(html.unescape(re.findall(f'href="([^"]*{re.escape(part)}[^"]*)"', self.text)[0]))

    def send(self, request: Request) -> None:
        """Send it, and show the answer."""
        try:
            answer = self._opener.open(request)
        except HTTPError as e:
            answer = e
        with answer:
            self.url, self.status, self.text = answer.url, answer.status or 0, answer.read().decode()
        self._cookies.save(ignore_discard=True)

    @property
    def headings(self) -> str:
        """Of the open page."""
        return " ".join(re.findall("<h1[^>]*>(.*?)</h1>", self.text))


def join(browser: Browser, link: str) -> None:
    """Join as ``cora``."""
    browser.open(urljoin(link, "/sign-in/"))
    sys.stdout.write(f"sign-in page {browser.status}\n")
    browser.open(link)
    browser.open(link, username="cora", password=PASSWORD, again=PASSWORD)
    sys.stdout.write(f"joined {browser.status}: {browser.headings}\n")
    browser.follow("/account/app/")
    secret = re.findall(r"Type this into the app:\s*(?:<[^>]*>)*([A-Z2-7]{16,})", browser.text)[0]
    browser.open(browser.url, code=code_of(secret, time.time()))
    sys.stdout.write(f"set up {browser.status}: {browser.headings}\n")
    RECOVERY.write_text(re.findall(r"<li>(\d{10})</li>", browser.text)[0])


def code_of(secret: str, at: float) -> str:
    """What the app shows (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(at / CODE_S)), hashlib.sha1)
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def enter(browser: Browser) -> None:
    """From the door of the control room to the board. Who is signed in at the office types nothing there."""
    browser.open(CENTRAL)
    browser.follow("/control-room/?nonce=")
    if "/sign-in/" in browser.url:
        browser.open(browser.url, login="cora", password=PASSWORD)
        browser.open(browser.url, code=RECOVERY.read_text())
    browser.follow("/enter?ticket=")
    sys.stdout.write(f"entered {browser.status} {browser.url}\n")


def board(browser: Browser) -> None:
    """As JSON."""
    browser.open(f"{CENTRAL}board.json")
    sys.stdout.write(browser.text if browser.status == 200 else f"refused {browser.status}\n")


def close(browser: Browser) -> None:
    """As the page's button does."""
    browser.open(f"{CENTRAL}board.json")
    for card in json.loads(browser.text)["cards"]:
        if card["state"] != "closed":
            action = {"type": "close", "incident": card["incident"], "outcome": "dealt with"}
            headers = {"content-type": "application/json", "x-watchlink": "1"}
            data = json.dumps({"action": action, "role": "co-ordinator"}).encode()
            browser.send(Request(f"{CENTRAL}actions", data, headers))
            sys.stdout.write(f"closed {card['incident']}: {browser.status} {browser.text}\n")


COMMANDS: Final[dict[str, Callable[..., None]]] = {"join": join, "enter": enter, "board": board, "close": close}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](Browser(), *sys.argv[2:])
