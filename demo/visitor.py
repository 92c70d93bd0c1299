"""A person with a browser, as far as pages without script need one: opens pages, follows links, fills in forms.

It keeps cookies, sends what the page's own form holds (with its token against forgery), and knows nothing of the
programs behind the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
from msgspec import Struct, field

_TIMEOUT_S: Final = 60.0
JPEG: Final = b"\xff\xd8\xff"
_TOKEN: Final = "csrfmiddlewaretoken"  # noqa: S105 - a field's name
_SENT_AS_THEY_ARE: Final = frozenset(
    {"hidden", "text", "password", "email", "tel", "number", "search", "date", "time", ""}
)


class LostError(Exception):
    """The page has no such link or form, or answers otherwise than a person would expect."""


class Form(Struct):
    """A form as the page holds it.

    Attributes:
        action: where it is sent, as written.
        is_post: else it is a search.
        values: what it sends if nothing is filled in.
        buttons: words of its buttons, with the name and value that each one adds.
        names: of its fields.
        choices: of each field with boxes, circles or a list, the words beside one and the value that it sends.
    """

    action: str
    is_post: bool
    values: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)


class Page(Struct, frozen=True):
    """A page as it was answered.

    Attributes:
        url: after redirects.
        status: of HTTP.
        html: the text.
        words: what a person reads, spaces joined.
    """

    url: str
    status: int
    html: str
    words: str
    links: Mapping[str, str]
    forms: tuple[Form, ...]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self._link: tuple[str, list[str]] | None = None
        self._button: tuple[str, str, list[str]] | None = None
        self._area: tuple[str, list[str]] | None = None
        self._label: tuple[list[str], list[tuple[str, str]]] | None = None
        self._select = ""
        self._option: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        form = self.forms[-1] if self.forms else None
        match tag:
            case "a" if "href" in given:
                self._link = (given["href"], [])
            case "form":
                self.forms.append(Form(given.get("action", ""), given.get("method", "").lower() == "post"))
            case "label":
                self._label = ([], [])
            case "input" if form is not None and "name" in given:
                self._take_input(form, given)
            case "textarea" if form is not None and "name" in given:
                self._area = (given["name"], [])
            case "select" if form is not None and "name" in given:
                self._select = given["name"]
                form.names.add(self._select)
            case "option" if form is not None and self._select:
                self._option = (given.get("value", ""), [])
                # Without one that is selected a browser sends the first.
                if "selected" in given or self._select not in form.values:
                    form.values[self._select] = given.get("value", "")
            case "button":
                self._button = (given.get("name", ""), given.get("value", ""), [])

    def _take_input(self, form: Form, given: dict[str, str]) -> None:
        name, kind = given["name"], given.get("type", "")
        form.names.add(name)
        if kind in {"checkbox", "radio"} and self._label is not None:
            self._label[1].append((name, given.get("value", "on")))
        if kind in _SENT_AS_THEY_ARE or "checked" in given:
            form.values[name] = given.get("value", "on" if "checked" in given else "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        link, button, area, label, option = self._link, self._button, self._area, self._label, self._option
        for open_one in (
            link and link[1],
            button and button[2],
            area and area[1],
            label and label[0],
            option and option[1],
        ):
            if open_one is not None:
                open_one.append(data)

    def handle_endtag(self, tag: str) -> None:
        form = self.forms[-1] if self.forms else None
        match tag:
            case "a" if self._link is not None:
                href, words = self._link
                self.links.setdefault(_joined(words), href)
                self._link = None
            case "button" if self._button is not None:
                name, value, words = self._button
                if form is not None:
                    form.buttons[_joined(words)] = (name, value)
                self._button = None
            case "label" if self._label is not None:
                words, boxes = self._label
                if form is not None:
                    for name, value in boxes:
                        form.choices.setdefault(name, {})[_joined(words)] = value
                self._label = None
            case "textarea" if self._area is not None and form is not None:
                name, words = self._area
                form.names.add(name)
                form.values[name] = "".join(words).removeprefix("\n")
                self._area = None
            case "option" if self._option is not None and form is not None:
                value, words = self._option
                form.choices.setdefault(self._select, {})[_joined(words)] = value
                self._option = None
            case "select":
                self._select = ""


def _joined(words: list[str]) -> str:
    return " ".join("".join(words).split())


class Visitor:
    """One browser. Close it with :meth:`close`.

    Attributes:
        page: the one that is open.
        pictures: every JPEG that it was shown.
    """

    def __init__(self) -> None:
        # A server hangs up on a connection that has rested. Where that crosses a request, a browser asks again, and
        # httpx does not: no connection is kept.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.AsyncClient(follow_redirects=True, timeout=_TIMEOUT_S, limits=limits)
        self.page = Page("", 0, "", "", {}, ())
        self.pictures: list[bytes] = []

    async def close(self) -> None:
        """Close it: cookies and connections are gone."""
        await self._client.aclose()

    async def open(self, url: str) -> Page:
        """Open an address; relative to the open page."""
        return self._show(await self._client.get(urljoin(self.page.url, url)))

    async def follow(self, words: str) -> Page:
        """Click the link whose words begin with these.

        Raises:
            LostError: there is none.
        """
        found = next((href for text, href in self.page.links.items() if text.startswith(words)), None)
        if found is None:
            links, page = list(self.page.links), self.page
            raise LostError(f"no link '{words}' on {page.url}; there are {links}: {page.words[:400]}")
        return await self.open(found)

    def form(self, button: str) -> Form:
        """The form that has this button.

        Raises:
            LostError: there is none.
        """
        form = next((form for form in self.page.forms if button in form.buttons), None)
        if form is None:
            buttons = [list(form.buttons) for form in self.page.forms]
            raise LostError(f"no button '{button}' on {self.page.url}, only {buttons}: {self.page.words[:400]}")
        return form

    async def submit(
        self, button: str, files: Mapping[str, tuple[str, bytes]] | None = None, /, **filled: str | list[str]
    ) -> Page:
        """Fill in the form that has this button, and press it.

        Args:
            button: its words.
            files: name and contents of each file, by field.
            filled: what is typed or ticked, by field.

        Raises:
            LostError: there is none, or a field is not in it.
        """
        form = self.form(button)
        strange = filled.keys() - form.names
        if strange:
            raise LostError(f"no field {strange} on {self.page.url}, only {form.names}")
        name, value = form.buttons[button]
        values = form.values | ({name: value} if name else {}) | filled
        url = urljoin(self.page.url, form.action) if form.action else self.page.url
        if not form.is_post:
            return self._show(await self._client.get(url, params=values))
        return self._show(await self._client.post(url, data=values, files=files, headers=self._from_here()))

    async def post(self, url: str, **values: str) -> Page:
        """Send what no form on the page would: crafted, with the page's token against forgery.

        Raises:
            LostError: no form of the page has a token.
        """
        token = next((form.values[_TOKEN] for form in self.page.forms if _TOKEN in form.values), None)
        if token is None:
            raise LostError(f"no form on {self.page.url} has a token")
        url = urljoin(self.page.url, url)
        return self._show(await self._client.post(url, data={_TOKEN: token, **values}, headers=self._from_here()))

    async def read(self, url: str) -> httpx.Response:
        """An address, without leaving the open page."""
        answer = await self._client.get(urljoin(self.page.url, url))
        if answer.content.startswith(JPEG):
            self.pictures.append(answer.content)
        return answer

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """A request of the open page's script."""
        return await self._client.post(urljoin(self.page.url, url), content=body, headers=dict(headers))

    async def listen(self, url: str, take: Callable[[str], None]) -> None:
        """Hold an address open, as the open page's script does, until it ends or this is cancelled; takes each line."""
        async with self._client.stream("GET", urljoin(self.page.url, url), timeout=None) as answer:
            async for line in answer.aiter_lines():
                take(line)

    def _from_here(self) -> dict[str, str]:
        parts = urlsplit(self.page.url)
        return {"origin": f"{parts.scheme}://{parts.netloc}", "referer": self.page.url}

    def _show(self, answer: httpx.Response) -> Page:
        reader = _Reader()
        reader.feed(answer.text)
        words = _joined(reader.words)
        self.page = Page(str(answer.url), answer.status_code, answer.text, words, reader.links, tuple(reader.forms))
        return self.page
