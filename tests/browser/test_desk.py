"""C1: an operator at the control-room page, in real Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from central.core.view import Acknowledge, AddNote, Assign, Close, Person, SetOnTheWay, StartDuty, UndoAcknowledge
from tests.browser.conftest import OpenContext, OpenPage, held, incidents, press, pulses, take_answers
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer, healthy, members
from tests.support.browser import hear, stop_clock, until

pytestmark = pytest.mark.integration

PRIYA = Person("cctv", "Priya Shah", 1)


def test_card_appears_by_itself(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    """Alert, title and the words for a screen reader; nothing takes the focus."""
    page = open_page()
    expect(page.locator("#unanswered-empty")).to_be_visible()
    server.call(lambda: board.press("attack", "Corner Shop", is_silent=True, alert_count=3))

    card = page.locator("#unanswered .card")
    expect(card).to_have_attribute("data-level", "p1")
    for words in (
        "P1",
        "ATTACK",
        "Corner Shop",
        "UNANSWERED",
        "SILENT – do not call the premises’ radio",
        "×3",
        "by net",
    ):
        expect(card).to_contain_text(words)
    expect(page).to_have_title("(1) ATTACK Corner Shop")
    expect(page.locator("#say-alert")).to_contain_text("ATTACK, Corner Shop, High St, unanswered")
    expect(page.locator("#unanswered-empty")).to_be_hidden()
    assert page.evaluate("document.activeElement === document.body")


def test_attack_stands_first_then_the_oldest(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    page = open_page()
    for kind, incident in (("test", "1-5"), ("theft", "1-1"), ("assist", "1-2"), ("assist", "1-3"), ("attack", "1-4")):
        server.call(lambda kind=kind, incident=incident: board.press(kind, incident=incident))  # type: ignore[misc]

    until(page, lambda: incidents(page, "unanswered") == ["1-4", "1-2", "1-3", "1-1", "1-5"], "order of urgency")


def test_acknowledge_says_sending_until_it_is_committed(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Never optimistic: the card is unanswered until central has said otherwise."""
    server.call(lambda: board.press("attack"))
    page = open_page()
    primary = page.locator("#unanswered .card-primary")
    with held(server):
        press(page, "#unanswered .card-primary", lambda: board.actions)
        expect(primary).to_have_text("Sending…")
        expect(page.locator("#unanswered .card-word")).to_have_text("UNANSWERED")
        primary.dispatch_event("click")
        page.keyboard.press("a")

    expect(page.locator("#in-hand .card")).to_contain_text("ANSWERED by CCTV control room Priya Shah")
    assert [(Acknowledge("00000010-1", "attack"), PRIYA)] == board.actions
    expect(page).to_have_title("Watchlink control room")


def test_done_action_says_sending_until_the_card_has_changed(
    open_page: OpenPage, open_context: OpenContext, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """In between the card would say UNANSWERED beside a button that can be pressed again."""
    server.call(lambda: board.press("attack"))
    context = open_context()
    context.clock.install()
    page = open_page(context)
    server.call(board.withhold_changes)
    stop_clock(page)  # after five seconds it would ask for the board
    page.keyboard.press("j")
    with page.expect_response(lambda answer: "acknowledge" in (answer.request.post_data or "")) as answered:
        page.keyboard.press("a")
    answered.value.finished()
    take_answers(page)
    assert "Sending…" == page.locator("#unanswered .card-primary").inner_text()
    server.call(board.deliver_changes)
    page.clock.resume()

    expect(page.locator("#in-hand .card-primary")).to_have_text("On the way…W")


def test_two_keys_acknowledge_and_the_focus_stays(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.press("assist", incident="1-1"))
    server.call(lambda: board.press("theft", incident="1-2"))
    page = open_page()
    page.keyboard.press("j")
    server.call(lambda: board.press("attack", incident="1-3"))
    until(page, lambda: incidents(page, "unanswered") == ["1-3", "1-1", "1-2"], "attack first")
    page.keyboard.press("a")

    until(page, lambda: incidents(page, "in-hand") == ["1-1"], "the marked one is answered, not the first")
    assert "1-1" == page.evaluate("document.activeElement.dataset.incident")
    page.keyboard.press("j")
    assert "1-2" == page.evaluate("document.activeElement.dataset.incident")


def test_key_without_a_marked_card_only_marks(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.press("assist", incident="1-1"))
    page = open_page()
    page.keyboard.press("a")
    assert ("1-1", []) == (page.evaluate("document.activeElement.dataset.incident"), board.actions)
    page.keyboard.press("a")

    until(page, lambda: incidents(page, "in-hand") == ["1-1"], "the second press answers")


def test_click_on_a_card_that_has_just_moved_is_not_used(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.press("assist", incident="1-1"))
    page = open_page()
    # The press of a finger already on its way down when the attack comes in above: both are on the screen for a moment.
    page.evaluate(
        """() => {
            new MutationObserver(() => {
                const old = document.querySelector('[data-incident="1-1"] .card-primary');
                queueMicrotask(() => {
                    old.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));
                    window.said = document.querySelector("#figures").textContent;
                });
            }).observe(document.querySelector("#unanswered"), { childList: true });
            return new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(seen))));
        }"""
    )
    server.call(lambda: board.press("attack", incident="1-2"))

    page.wait_for_function("() => window.said")
    assert "nothing was sent" in page.evaluate("said")
    assert ["1-2", "1-1"] == incidents(page, "unanswered")
    assert [] == board.actions


def test_click_on_a_card_that_has_just_come_is_not_used(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Where nothing moved, for the list was empty."""
    page = open_page()
    page.wait_for_function("start => performance.now() > start + 500", arg=page.evaluate("performance.now()"))
    page.evaluate(
        """() => {
            new MutationObserver(() => {
                const come = document.querySelector('[data-incident="1-1"] .card-primary');
                if (come && !window.said) queueMicrotask(() => {
                    come.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));
                    window.said = document.querySelector("#figures").textContent;
                });
            }).observe(document.querySelector("#unanswered"), { childList: true });
        }"""
    )
    server.call(lambda: board.press("attack", incident="1-1"))

    page.wait_for_function("() => window.said")
    assert "nothing was sent" in page.evaluate("said")
    take_answers(page)
    assert [] == board.actions


def test_no_card_moves_under_the_pointer(
    open_page: OpenPage, open_context: OpenContext, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.press("assist", incident="1-1"))
    context = open_context()
    context.clock.install()
    page = open_page(context)
    box = page.locator('[data-incident="1-1"] .card-primary').bounding_box()
    assert box is not None
    where = """() => document.querySelector('[data-incident="1-1"]').getBoundingClientRect().top"""
    top = page.evaluate(where)
    stop_clock(page)  # a pointer that rests for three seconds holds nothing
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    server.call(lambda: board.press("attack", "Bell’s Outdoor", incident="1-2"))
    until(page, lambda: len(incidents(page, "unanswered")) == 2, "the attack is shown at once")
    assert (["1-1", "1-2"], top) == (incidents(page, "unanswered"), page.evaluate(where))
    expect(page.locator("#arrival")).to_contain_text("ATTACK Bell’s Outdoor")
    page.clock.resume()
    page.mouse.move(2, 400)

    until(page, lambda: incidents(page, "unanswered") == ["1-2", "1-1"], "it settles when the pointer has gone")
    expect(page.locator("#arrival")).to_be_hidden()


def test_press_that_is_let_go_outside_the_list_holds_it_no_longer(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.press("assist", incident="1-1"))
    page = open_page()
    page.hover('[data-incident="1-1"] .card-state')
    page.mouse.down()
    page.hover("#premises-title")
    page.mouse.up()
    server.call(lambda: board.press("attack", "Echo Club", incident="1-2"))

    until(page, lambda: incidents(page, "unanswered") == ["1-2", "1-1"], "the attack stands first")


def test_fill_means_unanswered_and_outline_answered(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """docs/control-room.md: at a glance, before a word is read."""
    server.call(lambda: board.press("attack"))
    page = open_page(color_scheme="dark")
    badge = page.locator(".card > .badge")
    fill = "badge => getComputedStyle(badge).backgroundColor"
    assert "rgb(217, 38, 59)" == badge.evaluate(fill)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("#in-hand .card")).to_be_visible()

    assert "rgba(0, 0, 0, 0)" == badge.evaluate(fill)
    assert not pulses(page.locator(".card-bar"))


def test_undo_takes_the_acknowledgement_back(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    server.call(lambda: board.press("assist", incident="1-1"))
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("#undo")).to_have_text(re.compile(r"U Undo \d+ s"))
    expect(page.locator("#in-hand .card-primary")).to_have_text("On the way…W")  # Until then it is still being sent.
    press(page, "#undo", lambda: len(board.actions) > 1)

    until(page, lambda: incidents(page, "unanswered") == ["1-1"], "unanswered again")
    assert (UndoAcknowledge("1-1"), PRIYA) == board.actions[-1]


def test_assign_note_on_the_way_and_close(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    """The whole life of an alert by keyboard; closing asks how it ended."""
    server.call(lambda: board.press("theft", incident="1-1", members=tuple(members(("The Crown", "responding")))))
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("#in-hand .card-primary")).to_have_text("On the way…W")
    page.keyboard.press("s")
    page.keyboard.type("PCSO J Patel")
    page.keyboard.press("Enter")
    expect(page.locator("#in-hand")).to_contain_text("assigned to PCSO J Patel")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("n")
    page.keyboard.type("Red coat, left by Mill Lane")
    page.locator("#dialog-note [data-submit]").press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator("#in-hand .card-more")).to_contain_text(
        "Red coat, left by Mill Lane – CCTV control room Priya Shah"
    )
    expect(page.locator("#in-hand .card-more")).to_contain_text("The Crown responding")
    page.keyboard.press("w")
    page.locator("#dialog-going [name=role]").select_option("pcso")
    page.locator("#dialog-going [name=name]").fill("J Patel")
    page.keyboard.press("Enter")
    expect(page.locator("#in-hand .card-word")).to_have_text("ON THE WAY:")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("c")
    page.keyboard.press("Space")
    page.locator("#dialog-close [name=more]").fill("goods back")
    page.keyboard.press("Enter")
    expect(page.locator("#closed-count")).to_have_text("1")

    expected = [
        Acknowledge("1-1", "theft"),
        Assign("1-1", "PCSO J Patel"),
        AddNote("1-1", "Red coat, left by Mill Lane"),
        SetOnTheWay("1-1", "theft", Person("pcso", "J Patel")),
        Close("1-1", "Dealt with on site: goods back", 1),
    ]
    assert expected == [action for action, _ in board.actions]
    expect(page.locator("#closed .card")).to_contain_text("CLOSED: Dealt with on site: goods back")


def test_refusal_is_told_on_the_card(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    server.call(lambda: board.press("assist", incident="1-1"))
    page = open_page()
    with held(server):
        page.keyboard.press("j")
        page.keyboard.press("a")
        until(page, lambda: board.actions, "the request is under way")
        answered = Person("pcso", "J Patel")
        server.call(lambda: board.show(board.press("assist", incident="1-1", state="answered", answered_by=answered)))

    expect(page.locator("#in-hand .card-error")).to_have_text("Already answered by J Patel.")
    expect(page.locator("#in-hand .card")).to_contain_text("ANSWERED by PCSO on duty J Patel")


def test_first_acknowledge_starts_duty_and_then_does_it(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """C2: who it is, the session says."""
    server.call(lambda: board.press("attack", incident="1-1"))
    page = open_page(is_on_duty=False, account=2)
    expect(page.locator("#banner-nobody")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("a")
    hear(page)

    until(page, lambda: incidents(page, "in-hand") == ["1-1"], "answered")
    by = Person("pcso", "J Patel", 2)
    assert [(StartDuty("page"), by), (Acknowledge("1-1", "attack"), by)] == board.actions
    expect(page.locator("#banner-nobody")).to_be_hidden()
    expect(page.locator("#duty")).to_contain_text("PCSO on duty J Patel since")


def test_open_window_still_tells_of_an_attack(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.press("theft", incident="1-1"))
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("n")
    page.keyboard.type("half a wo")
    server.call(lambda: board.press("attack", "The Crown"))

    expect(page.locator("#dialog-note .dialog-alert")).to_contain_text("ATTACK, The Crown")
    assert "half a wo" == page.locator("#dialog-note textarea").input_value()
    assert page.evaluate("document.activeElement.name === 'text'")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert "1-1" == page.evaluate("document.activeElement.dataset.incident")


def test_single_keys_can_be_switched_off(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    """WCAG 2.1.4; the choice is kept."""
    server.call(lambda: board.press("theft", incident="1-1"))
    page = open_page()
    page.keyboard.press("?")
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector("#live[data-live=live]")
    for key in ("j", "a", "a"):
        page.keyboard.press(key)
    page.keyboard.press("ArrowDown")

    assert "1-1" == page.evaluate("document.activeElement.dataset.incident")
    assert [] == board.actions


def test_flood_groups_p3_and_never_an_attack(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    """EEMUA 191: ten new in ten minutes."""
    page = open_page()
    for number in range(7):
        server.call(lambda number=number: board.press("theft", f"Shop {number}"))  # type: ignore[misc]
    for kind in ("attack", "attack"):
        server.call(lambda kind=kind: board.press(kind))  # type: ignore[misc]
    until(page, lambda: len(incidents(page, "unanswered")) == 9, "nine cards")
    expect(page.locator("#banner-flood")).to_be_hidden()
    server.call(lambda: board.press("assist"))

    expect(page.locator("#banner-flood")).to_contain_text("10 new cards in 10 minutes")
    expect(page.locator("#unanswered > .card")).to_have_count(3)
    expect(page.locator("#unanswered > .group")).to_contain_text("Theft in progress ×7")
    page.locator(".group > summary").click()
    expect(page.locator(".group .card").first).to_be_visible()


def test_late_and_cancelled_say_so_and_stay_open(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """N6, N13."""
    server.call(lambda: board.press("assist", is_late=True, cancelled="mistake"))
    page = open_page(timezone_id="Europe/London")

    card = page.locator("#unanswered .card")
    expect(card).to_contain_text("LATE – pressed")
    expect(card).to_contain_text("CANCELLED BY SHOP – pressed by mistake – still open")
    expect(card.locator(".card-primary")).to_contain_text("Acknowledge")


def test_silent_premises_stand_first_and_search_hides_no_alert(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """N11."""
    fault = "oled: no acknowledgement from address 0x3c"
    lines = (
        healthy("00000011", "A Shop"),
        healthy("00000012", "B Shop", state="fault", faults=(fault,), outbox_depth=2),
        healthy("00000013", "C Shop", state="no-contact"),
    )
    server.call(lambda: board.show_nodes(*lines))
    server.call(lambda: board.press("attack", "A Shop"))
    page = open_page()
    names = page.locator("#premises .node-name > bdi:first-child")
    expect(names).to_have_text(["C Shop", "B Shop", "A Shop"])
    expect(page.locator("#premises .node").nth(0)).to_contain_text("NO CONTACT")
    expect(page.locator("#premises .node").nth(1)).to_contain_text("2 waiting to be sent")
    expect(page.locator("#premises .node").nth(1)).to_contain_text(fault)
    page.keyboard.press("/")
    page.keyboard.type("b sh")

    expect(page.locator("#premises .node:visible")).to_have_count(1)
    expect(page.locator("#unanswered .card")).to_be_visible()
    server.call(lambda: board.tell(gone_nodes=("00000012",)))
    expect(page.locator("#premises .node")).to_have_count(2)


def test_hostile_names_are_only_text(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    """A premises called like an attack on the page itself; a name that turns the writing direction."""
    hostile = "<img src=x onerror=\"document.title='owned'\">"
    server.call(lambda: board.press("theft", hostile, place="\u202eevil\u202d", assigned_to=hostile))
    server.call(lambda: board.show_nodes(healthy("00000011", hostile, state="fault", faults=(hostile,))))
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("Enter")

    expect(page.locator("#unanswered .card-toggle")).to_have_text(hostile)
    expect(page.locator("#premises .node-name")).to_contain_text(hostile)
    assert 0 == page.locator("img").count()
    assert "isolate" == page.locator("#unanswered .card-place").evaluate("node => getComputedStyle(node).unicodeBidi")
    expect(page).to_have_title(f"(1) THEFT {hostile}")
