"""Letting a phone wake its owner, in Chromium, with its real service worker; its push service is played (C8)."""

from __future__ import annotations

import contextlib
import json
from typing import Final

import msgspec
import pytest
from playwright.sync_api import Browser, Page, Worker, expect

from central.web.page import STATIC_DIR
from tests.browser.conftest import OpenContext, listen_for_complaints, sign_in
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer
from tests.support.browser import until
from tests.support.kept_phones import KEY, subscription
from tests.support.page_for_everybody import violations
from wire.notices import Subscription

pytestmark = pytest.mark.integration

WORKER: Final = STATIC_DIR / "js" / "sw.js"
PLAYED: Final = """
Notification.requestPermission = async () => "granted";
PushManager.prototype.getSubscription = async () => ({ endpoint: SUBSCRIPTION.endpoint, unsubscribe() {} });
PushManager.prototype.subscribe = async (options) => {
  window.key = options.applicationServerKey.length;
  return { toJSON: () => (SUBSCRIPTION) };
};
"""
"""A push service that needs no internet."""
PHONE_COOKIE: Final = "watchlink_central_phone"
"""By which central knows a browser again."""
CHANGED: Final = """(subscription) => {
  PushManager.prototype.getSubscription = async () => null;
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    self.subscribed = [userVisibleOnly, applicationServerKey];
    return { endpoint: subscription.endpoint, toJSON: () => ({ keys: subscription }) };
  };
}"""
"""The browser has given its subscription up; it takes another."""


@pytest.fixture
def page(open_context: OpenContext, server: ScriptedServer, complaints: list[str]) -> Page:
    one = subscription()
    given = {"endpoint": one.endpoint, "keys": {"p256dh": one.p256dh, "auth": one.auth}}
    context = open_context()
    context.grant_permissions(["notifications"])
    context.add_cookies([{"name": name, "value": value, "url": server.url} for name, value in server.sign_in().items()])
    context.add_init_script(PLAYED.replace("SUBSCRIPTION", json.dumps(given)))
    page = context.new_page()
    listen_for_complaints(page, complaints)
    page.goto(f"{server.url}phones")
    return page


def test_phone_is_added_with_our_key_and_a_worker_of_the_whole_site(page: Page, server: ScriptedServer) -> None:
    page.click("#wake")

    expect(page.locator("li")).to_contain_text("NOT PROVEN")
    (phone,) = server.phones.kept.values()
    assert (subscription(), KEY) == (phone.subscription, page.get_attribute("#wake", "data-key"))
    scopes = page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).map((one) => one.scope)")
    assert [server.url] == scopes
    expect(page.locator("li")).to_contain_text("on this device.")


def test_phone_in_the_hand_is_told_from_a_lost_one(page: Page) -> None:
    page.click("#wake")
    expect(page.locator("[data-own]")).to_be_visible()
    headers = {"content-type": "application/json", "x-watchlink": "1"}
    other = {"method": "POST", "headers": headers, "body": msgspec.json.encode(subscription("lost")).decode()}
    page.context.clear_cookies(name=PHONE_COOKIE)
    page.evaluate("(other) => fetch('/phones/add', other)", other)
    page.context.clear_cookies(name=PHONE_COOKIE)
    page.reload()

    expect(page.locator("li")).to_have_count(2)
    expect(page.locator("[data-own]:visible")).to_have_count(1)


def test_button_that_needs_a_script_is_not_there_before_it_has_one(
    open_context: OpenContext, server: ScriptedServer
) -> None:
    """What was pressed before would come to nothing, without a word."""
    context = open_context(java_script_enabled=False)
    sign_in(context, server)
    headers = {"x-watchlink": "1", "content-type": "application/json", "origin": server.url.rstrip("/")}
    body = msgspec.json.encode(subscription()).decode()
    assert 200 == context.request.post(f"{server.url}phones/add", data=body, headers=headers).status
    page = context.new_page()
    page.goto(f"{server.url}phones")

    expect(page.locator("li")).to_contain_text("NOT PROVEN")
    for button in ("Send a test", "Remove"):
        expect(page.get_by_text(button)).to_be_hidden()


@pytest.mark.parametrize("page_opened", ["", "phones"])
def test_browser_that_changed_its_subscription_is_reached_by_the_new_one(
    page: Page, server: ScriptedServer, page_opened: str
) -> None:
    """Without a word, as some browsers do: it is seen when a page is opened."""
    worker = added(page)
    worker.evaluate(CHANGED, msgspec.to_builtins(subscription("2")))

    page.goto(f"{server.url}{page_opened}", wait_until="commit")  # That of the phones is loaded twice.

    wait_for_renewal(page, server)
    assert [True, KEY] == worker.evaluate("self.subscribed")
    if page_opened:
        # Played for the page: its list is that of after the renewal, without a press.
        expect(page.locator(f'li[data-endpoint="{subscription("2").endpoint}"]')).to_contain_text("NOT PROVEN")


def test_browser_that_says_that_it_changed_its_subscription_is_renewed_without_a_page(
    page: Page, server: ScriptedServer
) -> None:
    worker = added(page)
    worker.evaluate(CHANGED, msgspec.to_builtins(subscription("2")))

    # The browser's own cannot be had without a push service; that of a script may not wait.
    worker.evaluate(
        "self.dispatchEvent(Object.defineProperty(new Event('pushsubscriptionchange'), 'waitUntil', { value() {} }))"
    )

    wait_for_renewal(page, server)


def test_worker_of_a_browser_that_is_no_phone_of_theirs_subscribes_nothing(page: Page, server: ScriptedServer) -> None:
    worker = added(page)
    page.click("text=Remove")
    expect(page.locator("main")).to_contain_text("No phone wakes you.")
    worker.evaluate(CHANGED, msgspec.to_builtins(subscription("2")))

    assert worker.evaluate("renew()") is False

    assert (None, {}) == (worker.evaluate("self.subscribed ?? null"), server.phones.kept)


def added(page: Page) -> Worker:
    """Let this browser wake its owner; returns its service worker."""
    page.click("#wake")
    expect(page.locator("li")).to_contain_text("NOT PROVEN")
    expect(page.locator("[data-own]")).to_be_visible()  # From now on the page asks the worker nothing by itself.
    until(page, lambda: page.context.service_workers, "the worker is known")
    (worker,) = page.context.service_workers
    # It has been asked by the page, too, and has no push service.
    worker.evaluate("renew().catch(() => false)")
    return worker


def wait_for_renewal(page: Page, server: ScriptedServer) -> None:
    def held() -> list[Subscription]:
        return [one.subscription for one in [*server.phones.kept.values()]]

    with contextlib.suppress(TimeoutError):
        until(page, lambda: held() == [subscription("2")], "the new subscription")
    assert [subscription("2")] == held()


@pytest.mark.parametrize(
    ("data", "shown", "opened"),
    [
        ('{"occasion":"alert","reference":"abc"}', ["An alert waits.", "watchlink-alert", True], "/wake/abc"),
        ('{"occasion":"drill","reference":"abc"}', ["A drill waits.", "watchlink-drill", False], "/wake/abc"),
        ('{"occasion":"alert","reference":"../x?y"}', ["An alert waits.", "watchlink-alert", True], "/"),
        ('{"occasion":"toString"}', ["An alert waits.", "watchlink-alert", True], "/"),
        ("not JSON", ["An alert waits.", "watchlink-alert", True], "/"),
        ("null", ["An alert waits.", "watchlink-alert", True], "/"),
    ],
)
def test_worker_shows_that_something_waits_and_nothing_else(
    chromium: Browser, data: str, shown: list[object], opened: str
) -> None:
    """Its own script, with a browser's side played: what cannot be read may have been an alert."""
    page = chromium.new_page()
    found = page.evaluate(
        f"""(data) => {{
          const on = {{}}, shown = [], opened = [];
          const wait = {{ waitUntil() {{}} }};
          const self = {{
            addEventListener: (name, act) => (on[name] = act),
            skipWaiting() {{}},
            clients: {{ claim() {{}}, openWindow: (url) => opened.push(url) }},
            registration: {{ showNotification: (title, options) => shown.push({{ title, ...options }}) }},
          }};
          {WORKER.read_text(encoding="utf-8")}
          on.push({{ data: {{ json: () => JSON.parse(data) }}, ...wait }});
          on.notificationclick({{ notification: {{ close() {{}}, data: shown[0].data }}, ...wait }});
          return [shown.map((one) => [one.title, one.body, one.tag, one.requireInteraction]), opened];
        }}""",
        data,
    )
    page.close()

    assert [[["Watchlink", *shown]], [opened]] == found


def test_page_of_phones_can_be_used_by_everybody_in_both_themes(page: Page) -> None:
    page.click("#wake")
    expect(page.locator("li")).to_contain_text("NOT PROVEN")

    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert [] == violations(page)
    page.click("text=Send a test")
    expect(page.locator("#wake-said")).to_have_text("A test was sent to this phone just now. Wait a minute.")
    page.click("text=Remove")
    expect(page.locator("main")).to_contain_text("No phone wakes you.")


def test_tap_marks_the_alert_that_it_names(page: Page, server: ScriptedServer, board: ScriptedBoard) -> None:
    server.call(lambda: board.press("sighting", "Red Lion"))
    card = server.call(lambda: board.press("sighting", "Corner Shop"))

    page.goto(f"{server.url}#{card.incident}")

    expect(page.locator(f'[data-incident="{card.key}"]')).to_be_focused()
    expect(page).to_have_url(server.url)


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("another", "This one waited when you tapped."),
        ("unknown", "or was a test of more than ten minutes ago"),
        ("none", "Nothing else waited when you tapped."),
    ],
)
def test_tap_that_opens_something_else_says_so(
    page: Page, server: ScriptedServer, board: ScriptedBoard, why: str, says: str
) -> None:
    card = server.call(lambda: board.press("sighting", "Red Lion"))

    page.goto(f"{server.url}#{card.incident}/{why}")

    expect(page.locator(f'[data-incident="{card.key}"]')).to_be_focused()
    expect(page.locator("#say-status")).to_contain_text(says)
    expect(page.locator("#banner-woken")).to_be_visible()
    expect(page.locator("#banner-woken")).to_contain_text(says)
    expect(page).to_have_url(server.url)
