"""A person at the office's pages: cookies, forms and one-time codes over HTTP, and nothing that a person has not."""

from __future__ import annotations

import http.client
import re
import secrets
import time
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import urlencode, urlsplit

import pyotp
from msgspec import Struct

CSRF_COOKIE: Final = "watchlink-office-csrf"
PASSWORD: Final = "a bench is no place for secrets"  # noqa: S105 - of an account that lives as long as the measurement
CODE_EVERY_S: Final = 30
TIMEOUT_S: Final = 120
REDIRECTS_MAX: Final = 6


class UnexpectedPageError(Exception):
    """The office answered something else than a person would expect."""


class Page(Struct, frozen=True):
    """What a browser shows at the end of its redirects."""

    path: str
    status: int
    text: str

    def find(self, pattern: str) -> str:
        """The first group of ``pattern`` on the page.

        Raises:
            UnexpectedPageError: it is not there.
        """
        match = re.search(pattern, self.text, re.DOTALL)
        if match is None:
            raise UnexpectedPageError(f"{self.path} (status {self.status}) has no {pattern!r}:\n{self.text[:2_000]}")
        return match[1]


class Browser:
    """One browser. It connects for each request, for the office closes a connection that idles."""

    def __init__(self, url: str) -> None:
        self._base = urlsplit(url)
        self._cookies: dict[str, str] = {}
        self._secret = ""
        self._code_number = 0

    def get(self, path: str) -> Page:
        """Open a page."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, **fields: str) -> Page:
        """Send a form."""
        body = urlencode(fields | {"csrfmiddlewaretoken": self._cookies[CSRF_COOKIE]}).encode()
        return self._ask("POST", path, body, {"content-type": "application/x-www-form-urlencoded"})

    def upload(self, path: str, data: bytes, **fields: str) -> Page:
        """Send a form with one file, ``file``."""
        border = secrets.token_hex(16)
        fields["csrfmiddlewaretoken"] = self._cookies[CSRF_COOKIE]
        parts = [
            *(
                f'--{border}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
                for name, value in fields.items()
            ),
            f'--{border}\r\ncontent-disposition: form-data; name="file"; filename="file"\r\n\r\n'.encode() + data,
            f"--{border}--\r\n".encode(),
        ]
        return self._ask("POST", path, b"\r\n".join(parts), {"content-type": f"multipart/form-data; boundary={border}"})

    def join(self, link: str, username: str) -> None:
        """Redeem an invitation: choose a password, set up an authenticator app."""
        path = urlsplit(link).path
        self.get(path)
        self.post(path, username=username, password=PASSWORD, again=PASSWORD)
        setting_up = self.get("/account/app/")
        self._secret = setting_up.find(r'class="code">([A-Z2-7]+)<')
        self._expect(self.post("/account/app/", code=self._code()), "/account/app/", is_there=False)

    def sign_out(self) -> None:
        """End the session."""
        self.post("/sign-out/")
        self._cookies.clear()

    def sign_in(self, username: str) -> float:
        """Password and code; returns the seconds that the office took, without the person's own."""
        self.get("/sign-in/")
        began_s = time.perf_counter()
        self._expect(self.post("/sign-in/", login=username, password=PASSWORD), "/sign-in/second-factor/")
        took_s = time.perf_counter() - began_s
        code = self._code()
        began_s = time.perf_counter()
        self._expect(self.post("/sign-in/second-factor/", code=code), "/sign-in/", is_there=False)
        return took_s + time.perf_counter() - began_s

    def import_premises(self, data: bytes) -> None:
        """A CSV file, looked at and confirmed."""
        self.get("/premises/import/")
        preview = self.upload("/premises/import/", data)
        done = self.post(preview.path, plan=preview.find(r'name="plan" value="([0-9a-f]+)"'))
        done.find(r"(Imported: \d+ new premises)")

    def _code(self) -> str:
        """A code that was not used before: the app shows a new one every half minute."""
        # Of the code before, this one and the next, which an office takes because clocks differ.
        number = max(self._code_number + 1, int(time.time() / CODE_EVERY_S) - 1)
        time.sleep(max(0.0, (number - 1) * CODE_EVERY_S + 0.5 - time.time()))
        self._code_number = number
        return pyotp.TOTP(self._secret).at(number * CODE_EVERY_S)

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        for _ in range(REDIRECTS_MAX):
            cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            own = {"host": self._base.netloc, "cookie": cookies, **headers}
            connection = http.client.HTTPConnection("127.0.0.1", self._base.port or 80, timeout=TIMEOUT_S)
            connection.request(method, path, body, own)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")  # a PDF is no text
            connection.close()
            for line in answer.headers.get_all("set-cookie") or ():
                for name, morsel in SimpleCookie(line).items():
                    self._cookies[name] = morsel.value
            if answer.status not in {301, 302, 303}:
                return Page(path, answer.status, text)
            place = urlsplit(answer.headers["location"])
            path = f"{place.path}?{place.query}" if place.query else place.path
            method, body, headers = "GET", None, {}
        raise UnexpectedPageError(f"{path} sends us in circles")

    @staticmethod
    def _expect(page: Page, path: str, *, is_there: bool = True) -> None:
        if page.status >= 400 or page.path.startswith(path) != is_there:  # noqa: PLR2004 - an HTTP error
            raise UnexpectedPageError(f"{page.path} (status {page.status}):\n{page.text[:3_000]}")
