"""One stream for all tabs, NOT LIVE and the way back, and the sound that does not depend on timers."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, Route, expect

from central.core.view import MemberLine, Person
from central.web.feed import FeedTiming
from tests.browser.conftest import (
    QUICK,
    OpenContext,
    OpenPage,
    held,
    incidents,
    listen_for_complaints,
    press,
    sign_in,
    take_answers,
)
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer, healthy
from tests.support.browser import hear, until

pytestmark = pytest.mark.integration


# Notes what the page plays: length of the sample, whether it repeats, start and stop.
LISTEN = """
  window.played = [];
  window.volumes = [];
  const { start, stop } = AudioBufferSourceNode.prototype;
  const { setValueAtTime } = AudioParam.prototype;
  AudioBufferSourceNode.prototype.start = function (at = 0) {
    const inS = Math.max(0, at - this.context.currentTime);
    this.note = { s: this.buffer.duration, loop: this.loop, inS, stopped: false };
    played.push(this.note);
    return start.apply(this, arguments);
  };
  AudioBufferSourceNode.prototype.stop = function () {
    this.note.stopped = true;
    return stop.apply(this, arguments);
  };
  AudioParam.prototype.setValueAtTime = function (value, at) {
    volumes.push(value);
    return setValueAtTime.apply(this, arguments);
  };
"""
P1_S, P2_S, LOST_S = 5, 15, 30


def streams(server: ScriptedServer) -> int:
    return server.call(lambda: server.app.state.feed.listener_count)  # type: ignore[no-any-return]


def test_tabs_share_one_stream_and_the_next_takes_over(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    context = open_context()
    first, second, third = (open_page(context) for _ in range(3))
    own_streams: list[str] = []
    for page in (second, third):
        page.on("request", lambda request: own_streams.append(request.url) if "/feed" in request.url else None)
    server.call(lambda: board.press("attack", incident="1-1"))
    for page in (first, second, third):
        until(page, lambda page=page: incidents(page, "unanswered") == ["1-1"], "every tab shows it")  # type: ignore[misc]
    assert 1 == streams(server)
    second.keyboard.press("j")
    second.keyboard.press("a")
    for page in (first, second, third):
        until(page, lambda page=page: incidents(page, "in-hand") == ["1-1"], "every tab sees it answered")  # type: ignore[misc]
    assert [] == own_streams

    first.close()
    server.call(lambda: board.press("assist", incident="1-2"))
    for page in (second, third):
        until(page, lambda page=page: incidents(page, "unanswered") == ["1-2"], "the others go on")  # type: ignore[misc]
    until(second, lambda: streams(server) == 1, "one stream again")
    expect(second.locator("#live")).to_have_attribute("data-live", "live")


def test_hanging_tab_loses_the_stream_to_another(
    open_context: OpenContext, complaints: list[str], board: ScriptedBoard
) -> None:
    server = ScriptedServer(board, timing=FeedTiming(beat_ms=200, not_live_ms=2_000, lost_ms=60_000))
    try:
        context = open_context()
        sign_in(context, server)
        hanging, other = context.new_page(), context.new_page()
        taken: list[str] = []
        other.on("request", lambda request: taken.append(request.url) if "/feed?after=" in request.url else None)
        for page in (hanging, other):
            listen_for_complaints(page, complaints)
            page.goto(server.url)
            page.wait_for_selector("#live[data-live=live]")
        # It hangs in a question that nobody answers: as long as the other tab may need.
        asked: list[Route] = []
        hanging.route("**/never", lambda route: asked.append(route))  # noqa: PLW0108 - Playwright marks what it is given
        hanging.evaluate(
            """() => void setTimeout(() => {
                const never = new XMLHttpRequest();
                never.open("GET", "/never", false);
                never.send();
            })"""
        )
        until(other, lambda: asked, "the first tab hangs")
        until(other, lambda: taken, "the other tab takes the stream")
        server.call(lambda: board.press("attack", incident="1-1"))

        until(other, lambda: incidents(other, "unanswered") == ["1-1"], "the other tab goes on")
        asked.pop().fulfill()
        until(hanging, lambda: incidents(hanging, "unanswered") == ["1-1"], "and the first is told when it is back")
        until(other, lambda: streams(server) == 1, "one stream")
    finally:
        server.stop()


@pytest.mark.parametrize("timing", [QUICK])
def test_stopped_server_shows_not_live_and_its_return_clears_it(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """C1: recovers by itself after central restarts, on the same port, with another boot id and board."""
    server.call(lambda: board.press("assist", incident="1-1"))
    page = open_page()
    server.stop()

    expect(page.locator("#banner-not-live")).to_contain_text("NOT LIVE since")
    expect(page.locator("#room")).to_have_attribute("data-old", "true")
    expect(page.locator("#unanswered-title")).to_contain_text("as of")
    expect(page).to_have_title("NOT LIVE – (1) ASSIST Corner Shop")
    expect(page.locator("#say-alert")).to_contain_text("Not live")
    frozen = page.locator(".card-age").inner_text()
    page.wait_for_function("start => performance.now() > start + 1500", arg=page.evaluate("performance.now()"))
    assert frozen == page.locator(".card-age").inner_text()
    expect(page.locator("#banner-not-live")).to_have_class("banner is-red")

    later = ScriptedBoard("boot-2")
    later.sequence = 3
    later.press("attack", incident="2-1")
    again = ScriptedServer(later, timing=QUICK, port=server.port, before=server)
    try:
        until(page, lambda: incidents(page, "unanswered") == ["2-1"], "the new board")
        expect(page.locator("#banner-not-live")).to_be_hidden()
        expect(page.locator("#room")).to_have_attribute("data-old", "false")
        again.call(lambda: later.press("theft", incident="2-2"))
        until(page, lambda: incidents(page, "unanswered") == ["2-1", "2-2"], "and its changes")
    finally:
        again.stop()


def test_missed_change_is_noticed_and_fetched(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    page = open_page()

    def lose_one() -> None:
        board.sequence += 1  # never delivered
        board.press("attack", incident="1-1")

    server.call(lose_one)

    until(page, lambda: incidents(page, "unanswered") == ["1-1"], "the board is asked for")


def test_attack_does_not_wait_for_a_board_that_is_fetched_and_is_not_taken_back_by_it(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Each act that central refuses fetches the board, and a busy network keeps it for ten seconds."""
    card = board.press("theft", incident="1-1")
    page = open_listening(open_context, open_page)
    asked: list[Route] = []
    page.route("**/board.json", lambda route: asked.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    page.locator("[data-incident='1-1']").focus()
    with held(server):
        page.keyboard.press("a")
        until(page, lambda: board.actions, "the answer is under way")
        server.call(lambda: board.show(replace(card, revision=2, answered_by=Person("pcso", "J Patel"))))
    until(page, lambda: asked, "it is refused")
    before = asked[0].fetch()
    server.call(lambda: board.press("attack", "Echo Club", incident="1-2"))

    until(page, lambda: incidents(page, "unanswered") == ["1-2", "1-1"], "the attack is shown")
    until(page, lambda: sounding(page) == [P1_S], "and sounds")
    with page.expect_response("**/board.json"):
        asked[0].fulfill(response=before)
    take_answers(page)
    assert ["1-2", "1-1"] == incidents(page, "unanswered")


def test_tab_that_missed_a_relayed_change_fetches_the_board(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    context = open_context()
    _, second = open_page(context), open_page(context)
    change = """() => new BroadcastChannel("watchlink.feed").postMessage({
        event: "change", id: "boot-1/99", data: { sequence: 99, cards: [], nodes: [], gone_nodes: [], on_watch: [],
        rejected: null, is_broker_linked: false, is_disk_ok: null } })"""
    with second.expect_response("**/board.json"):
        second.evaluate(change)

    expect(second.locator("#banner-broker")).to_be_hidden()
    expect(second.locator("#live")).to_have_attribute("data-live", "live")


def test_board_that_waited_for_another_does_not_replace_what_is_newer(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    context = open_context()
    _, second = open_page(context), open_page(context)
    asked: list[Route] = []
    second.route("**/board.json", lambda route: asked.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    say = """(message) => new BroadcastChannel("watchlink.feed").postMessage(message)"""
    second.evaluate(say, {"event": "beat", "data": {"boot_id": board.boot_id, "sequence": board.sequence + 1}})
    until(second, lambda: asked, "something was missed")
    older = json.loads(msgspec.json.encode(board.board()))
    second.evaluate(say, {"event": "board", "id": f"{board.boot_id}/{board.sequence}", "data": older})
    server.call(lambda: board.press("attack", incident="1-1"))
    until(second, lambda: incidents(second, "unanswered") == ["1-1"], "the attack is shown")
    with second.expect_response("**/board.json"):
        asked[0].continue_()
    take_answers(second)

    assert ["1-1"] == incidents(second, "unanswered")


def test_links_of_central_are_told(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    server.call(lambda: board.show_nodes(healthy("00000010", "Corner Shop")))
    page = open_page()
    expect(page.locator("#premises")).to_contain_text("Net✓")
    server.call(lambda: board.set_links(is_broker_linked=False, is_disk_ok=False))

    expect(page.locator("#banner-broker")).to_contain_text("CENTRAL IS CUT OFF FROM THE BROKER – alerts cannot arrive")
    expect(page.locator("#banner-disk")).to_be_visible()
    expect(page.locator("#say-alert")).to_contain_text("cut off from the broker")
    # What is said of a premises was heard through that broker.
    expect(page.locator("#premises")).to_contain_text("Net?")
    expect(page.locator("#premises")).not_to_contain_text("Net OK")
    server.call(lambda: board.set_links(has_reserve=False))
    expect(page.locator("#premises")).to_contain_text("Net✓")
    expect(page.locator("#banner-broker")).to_be_hidden()
    expect(page.locator("#banner-disk")).to_be_hidden()
    expect(page.locator("#banner-reserve")).to_contain_text("DISK IS FULL – alerts still arrive")
    expect(page.locator("#say-alert")).to_contain_text("disk is full")
    server.call(board.set_links)
    expect(page.locator("#banner-reserve")).to_be_hidden()


def test_page_says_that_alerts_have_no_connection_of_their_own_until_that_is_proven(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    board.has_alerts_lane = False
    page = open_page()
    expect(page.locator("#notice-lane")).to_contain_text("a flood can delay them")
    server.call(lambda: board.tell(has_alerts_lane=True))
    expect(page.locator("#notice-lane")).to_be_hidden()


def sounding(page: Page) -> list[float]:
    """Lengths of the repeating sounds that play now (a tone set ahead for a lost feed not counted)."""
    lengths: list[float] = page.evaluate(
        "played.filter(one => one.loop && !one.stopped && one.inS === 0).map(one => one.s)"
    )
    return lengths


def open_listening(open_context: OpenContext, open_page: OpenPage) -> Page:
    context = open_context()
    context.add_init_script(LISTEN)
    page = open_page(context)
    expect(page.locator("#banner-sound")).to_be_visible()
    page.click("#banner-sound")
    expect(page.locator("#banner-sound")).to_be_hidden()
    return page


def test_sound_is_off_until_a_press_and_stops_only_on_acknowledge(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    page = open_listening(open_context, open_page)
    heard = "played.filter(one => one.inS === 0).map(one => one.loop)"
    until(page, lambda: page.evaluate(heard) == [False], "the test tone")
    server.call(lambda: board.press("test"))
    server.call(lambda: board.press("assist", incident="1-1"))
    until(page, lambda: sounding(page) == [P2_S], "P2 every 15 s")
    server.call(lambda: board.press("attack", incident="1-2", cancelled="mistake"))
    until(page, lambda: sounding(page) == [P1_S], "P1 every 5 s instead")

    for incident in ("1-2", "1-1"):
        press(page, f'[data-incident="{incident}"] .card-primary', lambda: board.cards[incident].state == "answered")  # noqa: B023
    until(page, lambda: sounding(page) == [], "silence when all is answered")


def test_quiet_ends_with_a_new_attack(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.press("attack", incident="1-1"))
    page = open_listening(open_context, open_page)
    until(page, lambda: sounding(page) == [P1_S], "sounds although it is not new")
    page.keyboard.press("m")
    assert [0, 1] == page.evaluate("volumes")
    expect(page.locator("#quiet")).to_contain_text(re.compile(r"Quiet [1-5]?\d s"))  # It is counted down.
    server.call(lambda: board.press("assist"))
    until(page, lambda: len(incidents(page, "unanswered")) == 2, "an assist")
    assert [0, 1] == page.evaluate("volumes")
    server.call(lambda: board.press("attack", incident="1-3"))

    until(page, lambda: page.evaluate("volumes") == [0, 1, 1], "sounds again at once")


@pytest.mark.finding(6)
def test_attack_that_waits_and_is_pressed_once_more_sounds_once_through_the_quiet(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Somebody calls for help again: the quiet was not for that. It goes on for the press that was known."""
    card = board.press("attack", incident="1-1")
    page = open_listening(open_context, open_page)
    until(page, lambda: sounding(page) == [P1_S], "sounds although it is not new")
    page.keyboard.press("m")
    server.call(lambda: board.show(replace(card, revision=2, members=(MemberLine("2", "B", "seen", card.arrived_at),))))
    expect(page.locator("#unanswered .card")).to_contain_text("1 seen")
    once: Any = f"played.filter(one => one.s === {P1_S} && !one.loop && one.inS === 0).length"
    assert 0 == page.evaluate(once), "a member's answer is no press"
    server.call(lambda: board.show(replace(card, revision=2, incident="1-0", alert_count=3, state="unanswered")))
    expect(page.locator("#unanswered .card")).to_contain_text("×3")
    assert 0 == page.evaluate(once), "nor is another of those that the card stands for"
    server.call(lambda: board.show(replace(card, revision=2)))
    server.call(lambda: board.show(replace(card, revision=3, alert_count=2)))

    until(page, lambda: page.evaluate(once) == 1, "sounds once")
    expect(page.locator("#say-alert")).to_contain_text("Pressed once more: ATTACK, Corner Shop")
    assert [0, 1] == page.evaluate("volumes"), "and the quiet goes on"


@pytest.mark.parametrize("timing", [QUICK])
def test_tone_of_a_lost_feed_is_set_ahead_at_each_beat(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer
) -> None:
    """A background tab's timers are slowed: the tone sounds by the audio clock unless a beat puts it off."""
    page = open_listening(open_context, open_page)
    ahead: Any = "played.filter(one => one.s === 30 && !one.stopped).map(one => Math.round(one.inS))"
    until(page, lambda: page.evaluate("played.filter(one => one.s === 30).length > 2"), "renewed")

    assert [QUICK.lost_ms // 1000] == page.evaluate(ahead)


def test_only_one_tab_sounds(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    context = open_context()
    context.add_init_script(LISTEN)
    first = open_page(context, is_on_duty=False)
    first.click("#banner-sound")
    expect(first.locator("#banner-sound")).to_be_hidden()
    second = open_page(context, is_on_duty=False)
    expect(second.locator("#banner-sound")).to_be_hidden()  # the first one can be heard
    second.click("#start-duty")
    hear(second)
    until(second, lambda: second.evaluate("played.length"), "the second is ready to sound")
    server.call(lambda: board.press("attack"))
    until(first, lambda: sounding(first) == [P1_S], "the first sounds")
    until(second, lambda: len(incidents(second, "unanswered")) == 1, "the second shows")
    assert [] == sounding(second)

    first.close()
    until(second, lambda: sounding(second) == [P1_S], "the second takes over")


def test_patterns_are_those_of_the_design(open_page: OpenPage) -> None:
    page = open_page()
    tones = page.evaluate(
        """async () => {
            const { TONES, samples } = await import("/static/js/tones.js");
            const made = samples(TONES.p1, 8000);
            return { tones: TONES, length: made.length, peak: made.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
        }"""
    )

    frequencies = {name: [pulse["hz"] for pulse in tone["pulses"]] for name, tone in tones["tones"].items()}
    expected = {"p1": [660, 880] * 5, "p2": [660] * 3, "p3": [520], "lost": [440, 330], "test": [520, 660]}
    assert expected == frequencies
    gaps = [pulse["atS"] for pulse in tones["tones"]["p1"]["pulses"]]
    pauses = [i for i, (one, two) in enumerate(itertools.pairwise(gaps), 1) if two - one > 0.3]
    assert [3, 5, 8] == pauses  # 3+2, 3+2
    assert (5, 15, None, 30) == tuple(tones["tones"][name]["everyS"] for name in ("p1", "p2", "p3", "lost"))
    assert 5 * 8000 == tones["length"]
    assert 0.5 < tones["peak"] <= 1
