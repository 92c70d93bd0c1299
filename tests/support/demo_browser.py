"""A demo as ``make demo`` starts it, and people of its run in a real browser."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.support.browser import WITHIN_MS
from tests.support.page_for_everybody import SERIOUS, violations


@dataclass(frozen=True)
class Counter:
    """A shop's own page, and who may look there for the first time."""

    url: str
    person: str
    start_code: str


@dataclass(frozen=True)
class Addresses:
    """Where the demo said to look, and the passwords that it printed."""

    central: str
    office: str
    panels: str
    passwords: dict[str, str]
    counters: dict[str, Counter]
    """By the name of the premises."""
    used: dict[str, str] = field(default_factory=dict)
    """The last code of each."""

    def code(self, username: str) -> str:
        """What the person's phone shows; waits for the next one if they have used this."""

        def shown() -> str:
            lines = httpx.get(f"{self.panels}authenticator.json", timeout=WITHIN_MS / 1_000).json()["lines"]
            return str(next(line["code"] for line in lines if line["username"] == username))

        while (code := shown()) == self.used.get(username):
            time.sleep(0.5)
        self.used[username] = code
        return code


@contextmanager
def running(*arguments: str) -> Iterator[Addresses]:
    """A demo as ``make demo`` starts it."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "watchlink.cli", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    said = ""
    for line in demo.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    else:
        raise AssertionError(f"the demo did not start: {said}{demo.communicate(timeout=WITHIN_MS / 1_000)[1]}")
    passwords = dict(re.findall(r"^    \S.*? {2,}([a-z]+) +(\S+)   (?:HART|Pub Watch)", said, re.MULTILINE))

    def address(what: str) -> str:
        found = re.search(rf"{what}\s+(http\S+)", said)
        assert found is not None, said
        return found[1]

    counters = {
        shop: Counter(url, person, code)
        for shop, url, person, code in re.findall(
            r"^    (\w[\w ]+), .*? (http\S+)\s+(\w+ \w+) +((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})$", said, re.MULTILINE
        )
    }
    yield Addresses(address("control room"), address("The office"), address("Front panels of all"), passwords, counters)
    demo.terminate()
    _, complaints = demo.communicate(timeout=5 * WITHIN_MS / 1_000)
    assert "" == complaints
    assert 0 == demo.returncode


def open_page(at: Browser | BrowserContext, url: str, complaints: list[str], **options: object) -> Page:
    page = at.new_page(**options)  # type: ignore[arg-type]
    page.context.set_default_timeout(WITHIN_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complain(message, complaints))
    page.goto(url)
    return page


def complain(message: ConsoleMessage, complaints: list[str]) -> None:
    """Take down an error of a page. No photograph comes once the page has locked itself or the ban is over (G7)."""
    url = message.location["url"]
    is_gone = "404" in message.text and re.search(r"/people/\d+/\d+/\d+/(card|portrait)\.jpg$", url) is not None
    if message.type == "error" and not is_gone:
        complaints.append(f"{message.text}: {url}")


def sign_in_at_the_office(page: Page, addresses: Addresses, username: str) -> None:
    """From the office's sign-in page to what lies behind it, with password and code."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(addresses.passwords[username])
    page.get_by_role("button", name="Sign in with password").click()
    page.get_by_label("Code").fill(addresses.code(username))
    page.get_by_role("button", name="Continue").click()


def sign_in(page: Page, addresses: Addresses, username: str) -> None:
    """From central's door by the office into the control room."""
    page.get_by_role("link", name="Sign in at the office").click()
    sign_in_at_the_office(page, addresses, username)
    page.get_by_role("link", name="Open the control room").click()


def panel(page: Page, node: str) -> Locator:
    return page.locator(f"[data-node='{node}']")


def wait_for_words(page: Page, node: str, words: str) -> None:
    expect(panel(page, node).locator("[data-words]")).to_contain_text(words, timeout=WITHIN_MS)


def serious_faults(page: Page) -> list[str]:
    return [json.dumps(fault["nodes"][0]["html"]) for fault in violations(page) if fault["impact"] in SERIOUS]
