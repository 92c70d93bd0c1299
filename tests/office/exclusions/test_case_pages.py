"""Pages of cases as people use them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import get_args

import pytest
from django.test import Client
from django.utils import timezone

from office.audit.models import AuditRow
from office.exclusions import acts
from office.exclusions.models import Case, LawDocument
from office.exclusions.rules.life import MOVES, State
from office.exclusions.rules.period import day_of
from office.members.models import Membership
from office.people.models import Individual, Photograph
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import NOMINATION, Town


@pytest.fixture
def cora(town: Town, signed_in: SignedIn) -> Client:
    return signed_in(town.cora)


def text(browser: Client, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def buttons(page: str) -> list[str]:
    """Words of the buttons that lead to a move, in the order of the page."""
    return [
        re.sub(r"<[^>]*>", "", one)
        for one in re.findall(r'<a class="button[^"]*" href="/cases/\d+/[a-z-]+/">(.*?)</a>', page)
    ]


def primary(page: str) -> list[str]:
    return re.findall(r'class="button is-primary"[^>]*>([^<]*)<', page)


def send(browser: Client, case: Case, move: str, typed: Mapping[str, object] | None = None, version: int = 0) -> int:
    now = Case.objects.get(pk=case.pk)
    sent = {"version": version or now.version, **(typed or {})}
    return browser.post(f"/cases/{case.pk}/{move}/", sent).status_code


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("nominated", ["Record the check"]),
        ("checked", ["Open the vote"]),
        ("voting", ["Write down the hands"]),
        ("decided", ["Issue"]),
        ("issued", ["Record that it was served"]),
        ("served", []),
    ],
)
def test_case_page_offers_one_next_step(town: Town, cora: Client, state: State, wanted: list[str]) -> None:
    assert primary(text(cora, f"/cases/{town.case(state).pk}/")) == wanted


def test_case_page_shows_the_moves_of_the_rules_alone(town: Town, cora: Client) -> None:
    case = town.case("served")

    shown = set(buttons(text(cora, f"/cases/{case.pk}/")))
    assert shown == {MOVES[name].button for name in ("correct", "appeal", "shorten", "restrict", "revoke", "reissue")}


def test_case_page_tells_its_life_in_words_and_as_a_line(town: Town, cora: Client) -> None:
    case = town.case("served")
    acts.appeal(town.turn(case), "It was my brother")
    page = text(cora, f"/cases/{case.pk}/")

    assert "It was my brother" in page
    assert 'aria-label="The case’s life: Nominated' in page
    assert "◆</span> Appeal open" in page
    assert " style=" not in page


def test_each_move_is_done_by_its_page(town: Town, cora: Client) -> None:
    case = town.case("decided")
    why: dict[str, object] = {"reason": "because"}
    served = timezone.localtime()
    moves: list[tuple[str, dict[str, object]]] = [
        ("issue", {"first_on": day_of(timezone.now()).isoformat()}),
        (
            "serve",
            {
                "served_on": f"{served:%Y-%m-%d}",
                "served_at": f"{served:%H:%M}",
                "by": "PC 1",
                "where": "High St",
                "how": "by hand",
                "gave_privacy_information": "on",
            },
        ),
        ("reissue", why),
        ("restrict", why),
        ("lift-restriction", why),
        ("appeal", why),
        ("shorten", {**why, "last_on": (day_of(timezone.now()) + timedelta(days=9)).isoformat()}),
        ("revoke", why),
    ]

    assert [send(cora, case, name, typed) for name, typed in moves] == [302] * len(moves)
    assert [step.move for step in case.steps.all()][-len(moves) :] == [name for name, _ in moves]
    assert case.notices.last().served_where == "High St"  # type: ignore[union-attr]
    case.refresh_from_db()
    assert case.state == "revoked"


def test_appeal_is_dismissed_by_the_page_of_who_did_not_check(town: Town, cora: Client, signed_in: SignedIn) -> None:
    case = town.case("served")
    acts.appeal(town.turn(case), "It was not me")
    page = text(cora, f"/cases/{case.pk}/")

    assert MOVES["dismiss-appeal"].button not in buttons(page)
    assert "Waits for another co-ordinator, who hears the appeal" in page
    assert send(cora, case, "dismiss-appeal", {"reason": "no"}) == 409
    assert send(signed_in(town.deputy), case, "dismiss-appeal", {"reason": "The film shows him"}) == 302


def test_stopping_and_opening_a_vote(town: Town, cora: Client) -> None:
    case = town.case("voting")
    assert send(cora, case, "stop-vote", {"reason": "wrong film"}) == 302
    assert send(cora, case, "open-vote", {}) == 400
    assert send(cora, case, "open-vote", {"way": "between-meetings"}) == 302
    assert [one.way for one in case.ballots.all()] == ["between-meetings", "meeting"]


def test_move_without_a_reason_is_asked_for_it_and_loses_nothing(town: Town, cora: Client) -> None:
    case = town.case("served")
    answer = cora.post(f"/cases/{case.pk}/shorten/", {"version": case.version, "last_on": "2031-01-01", "reason": "  "})
    page = answer.content.decode()

    assert answer.status_code == 400
    assert page.count("Say why, in a sentence.") == 2
    assert 'value="2031-01-01"' in page


def test_move_that_is_refused_says_why_and_keeps_what_was_typed(town: Town, cora: Client) -> None:
    case = town.case("served")
    answer = cora.post(
        f"/cases/{case.pk}/shorten/", {"version": case.version, "last_on": "2035-01-01", "reason": "Less is enough"}
    )
    page = answer.content.decode()

    assert answer.status_code == 409
    assert "Choose an earlier last day than now" in page
    assert "Less is enough" in page


def test_move_that_is_not_open_says_so_without_a_button(town: Town, cora: Client) -> None:
    case = town.case("nominated")
    page = text(cora, f"/cases/{case.pk}/serve/")

    assert "This case is “Nominated” now" in page
    assert '<button class="button is-primary"' not in page
    assert send(cora, case, "serve") == 400


def test_second_of_two_who_act_at_once_sees_what_the_first_did(town: Town, cora: Client, signed_in: SignedIn) -> None:
    case = town.case("served")
    seen = case.version
    assert send(signed_in(town.deputy), case, "restrict", {"reason": "it is contested"}) == 302
    answer = cora.post(f"/cases/{case.pk}/appeal/", {"version": seen, "reason": "typed at length"})
    page = answer.content.decode()

    assert answer.status_code == 409
    assert "Somebody else has changed this case meanwhile" in page
    assert "Hidden from shops while it is looked into, by Dan" in page
    assert "typed at length" in page
    assert f'name="version" value="{seen + 1}"' in page
    assert "nothing of yours was done" in page.lower()
    assert not Case.objects.get(pk=case.pk).has_open_appeal
    assert send(cora, case, "appeal", {"reason": "typed at length"}, version=seen + 1) == 302


def test_second_of_two_keeps_their_words_where_the_move_is_gone(town: Town, cora: Client, signed_in: SignedIn) -> None:
    case = town.case("served")
    seen = case.version
    send(signed_in(town.deputy), case, "revoke", {"reason": "wrong person"})
    answer = cora.post(f"/cases/{case.pk}/appeal/", {"version": seen, "reason": "typed at length"})
    page = answer.content.decode()

    assert answer.status_code == 409
    assert "typed at length" in page
    assert "so that you can copy it" in page
    assert ">Record an appeal</button>" not in page


@pytest.mark.parametrize("move", ["issue", "revoke", "lift-restriction"])
def test_grave_move_wants_the_second_factor_again(town: Town, signed_in: SignedIn, move: str) -> None:
    case = town.case("decided" if move == "issue" else "served")
    if move == "lift-restriction":
        acts.restrict(town.turn(case), "contested")
    browser = signed_in(town.cora, second_factor_age_s=400)
    assert browser.get(f"/cases/{case.pk}/{move}/").headers["Location"].startswith("/again/")
    now = Case.objects.get(pk=case.pk)
    answer = browser.post(
        f"/cases/{case.pk}/{move}/", {"version": now.version, "reason": "typed", "first_on": "2031-01-01"}
    )
    page = answer.content.decode()

    assert answer.status_code == 400
    assert "second factor again" in page
    assert "typed" in page or "2031-01-01" in page
    assert 'target="_blank"' in page
    assert Case.objects.get(pk=case.pk).version == now.version


def test_list_shows_what_waits_first(town: Town, cora: Client) -> None:
    served, voting, issued, nominated = (town.case(state) for state in ("served", "voting", "issued", "nominated"))
    appealed = town.case("served")
    acts.appeal(town.turn(appealed), "not me")
    page = text(cora, "/cases/")

    order = [int(one) for one in re.findall(r'<a class="one-line" href="/cases/(\d+)/"', page)]
    assert order == [one.pk for one in (appealed, nominated, issued, voting, served)]
    assert re.findall(r'<a class="one-line" href="/cases/(\d+)/"', text(cora, "/cases/?state=issued")) == [
        str(issued.pk)
    ]
    assert text(cora, "/cases/?state=nonsense").count("<tr>") == 6


def test_list_takes_as_many_queries_whatever_its_length(
    town: Town, cora: Client, django_assert_max_num_queries: object
) -> None:
    for _ in range(4):
        town.nominated()
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        text(cora, "/cases/")


def test_case_of_another_scheme_is_not_there_and_who_asked_is_known(
    town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    """The answer, and the audit, are the same for a case of another scheme and for none."""
    case = town.case("nominated")
    otto = make_person("otto", ("co-ordinator", PUB_WATCH))
    browser = signed_in(otto)
    before = AuditRow.objects.count()
    answers = [browser.get(f"/cases/{number}/") for number in (case.pk, 999_999)]
    browser.post(f"/cases/{case.pk}/withdraw/", {"reason": "x", "version": 1})

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    rows = list(AuditRow.objects.order_by("sequence")[before:])
    assert [(row.action, row.actor_name, row.schemes) for row in rows] == [
        ("case.not-found", "Otto", f" {PUB_WATCH} ")
    ] * 3
    assert [row.details for row in rows[:2]] == [f'{{"number":{case.pk}}}', '{"number":999999}']
    assert not any(row.subject_id for row in rows)
    case.refresh_from_db()
    assert case.state == "nominated"


def test_members_contact_sees_their_own_nominations_alone(town: Town, signed_in: SignedIn) -> None:
    case = town.case("nominated")
    mine, other = signed_in(town.contacts[0]), signed_in(town.contacts[1])

    assert case.reference in text(mine, "/cases/")
    assert case.reference not in text(other, "/cases/")
    assert buttons(text(mine, f"/cases/{case.pk}/")) == ["Withdraw"]
    text(other, f"/cases/{case.pk}/", 404)
    assert other.post(f"/cases/{case.pk}/withdraw/", {"version": 1, "reason": "x"}).status_code == 404
    text(mine, f"/cases/{case.pk}/check/", 404)
    assert mine.post(f"/cases/{case.pk}/withdraw/", {"version": 1, "reason": "wrong film"}).status_code == 302
    case.refresh_from_db()
    assert case.state == "withdrawn"


def test_members_contact_sees_nothing_once_they_speak_for_no_member(town: Town, signed_in: SignedIn) -> None:
    """Who leaves loses access on that day; the role alone is no reason to read of a person."""
    case, browser = town.case("nominated"), signed_in(town.contacts[0])
    Membership.objects.filter(member=town.members[0]).update(ended_on=day_of(timezone.now()))

    text(browser, f"/cases/{case.pk}/", 404)
    assert case.reference not in text(browser, "/cases/")
    assert browser.post(f"/cases/{case.pk}/withdraw/", {"version": 1, "reason": "x"}).status_code == 404


def test_members_contact_learns_nothing_of_the_register(town: Town, signed_in: SignedIn) -> None:
    """Their nomination turned out to be about somebody known: whom others wrote of is not shown to them."""
    case = town.case("nominated")
    browser = signed_in(town.contacts[0])
    assert "Nobody Atall" in text(browser, f"/cases/{case.pk}/")
    known = town.individual("Known Already")
    acts.nominate(town.contacts[1], town.turn(case).rights, known, town.members[1], NOMINATION)
    case.individual = known
    case.save()
    page = text(browser, f"/cases/{case.pk}/")

    assert "Known Already" not in page
    assert known.reference not in page


def test_address_is_the_co_ordinators_alone(
    town: Town, cora: Client, make_person: MakePerson, signed_in: SignedIn
) -> None:
    case = town.case("issued")
    Individual.objects.update(address="1 Secret Street")
    pcso = signed_in(make_person("pc", ("pcso", HART)))

    assert "1 Secret Street" in text(cora, f"/cases/{case.pk}/")
    for browser in (pcso, signed_in(town.contacts[0])):
        assert "1 Secret Street" not in text(browser, f"/cases/{case.pk}/")
        assert "Nobody Atall" in text(browser, f"/cases/{case.pk}/")


def test_pcso_sees_what_is_in_force_and_serves_it(town: Town, make_person: MakePerson, signed_in: SignedIn) -> None:
    browser = signed_in(make_person("pc", ("pcso", HART), ("cctv", PUB_WATCH)))
    for state in get_args(State):
        if state in {"nominated", "checked", "voting", "decided"}:
            text(browser, f"/cases/{town.case(state).pk}/", 404)
    case = town.case("issued")

    assert buttons(text(browser, f"/cases/{case.pk}/")) == ["Record that it was served"]


@pytest.mark.parametrize("role", ["police", "cctv", "duty-sergeant", "duty-officer", "fleet-engineer"])
def test_others_see_no_case(town: Town, make_person: MakePerson, signed_in: SignedIn, role: str) -> None:
    browser = signed_in(make_person("other", (role, HART)))

    text(browser, f"/cases/{town.case('issued').pk}/", 404)
    text(browser, "/cases/", 404)


def test_exclusion_that_is_over_is_ended_before_its_page_is_shown(town: Town, cora: Client) -> None:
    case = town.case("served")
    Case.objects.filter(pk=case.pk).update(last_on=day_of(timezone.now()) - timedelta(days=1))
    page = text(cora, f"/cases/{case.pk}/")

    assert "■</span> Ended" in page
    assert buttons(page) == []


def test_changed_premises_are_pointed_out_and_issued_anew(town: Town, cora: Client, make_person: MakePerson) -> None:
    case = town.case("served")
    assert "The premises, the last day or the words have changed" not in text(cora, f"/cases/{case.pk}/")
    town.add_member("Late Joiner", make_person("late", ("members-contact", HART)))
    page = text(cora, f"/cases/{case.pk}/")

    assert "The premises, the last day or the words have changed" in page
    assert primary(page) == ["Issue a new version"]


def test_shorter_exclusion_is_issued_anew(town: Town, cora: Client) -> None:
    """Else the person’s copy goes on to keep them out."""
    case = town.case("served")
    acts.shorten(town.turn(case), day_of(timezone.now()) + timedelta(days=9), "half is enough")
    assert primary(text(cora, f"/cases/{case.pk}/")) == ["Issue a new version"]
    acts.reissue(town.turn(case), "shorter")

    assert primary(text(cora, f"/cases/{case.pk}/")) == ["Record that it was served"]


def test_case_of_an_under_18_waits_for_a_second_co_ordinator(town: Town, cora: Client, signed_in: SignedIn) -> None:
    case = town.case("decided")
    Individual.objects.update(born_on=None, is_believed_minor=True)
    page = text(cora, f"/cases/{case.pk}/")
    assert "Waits for a second co-ordinator’s approval: the person is under 18" in page
    assert primary(page) == []
    assert send(cora, case, "issue", {"first_on": day_of(timezone.now()).isoformat()}) == 409
    deputy = signed_in(town.deputy)
    assert primary(text(deputy, f"/cases/{case.pk}/")) == ["Approve for an under-18"]
    assert send(deputy, case, "approve-minor", {"reason": "needed", "may_show": "on"}) == 302
    case.refresh_from_db()

    assert (case.minor_approved_by, case.may_show_minor) == (town.deputy, True)
    assert primary(text(cora, f"/cases/{case.pk}/")) == ["Issue"]


def test_case_says_why_nothing_is_issued_while_the_register_is_off(town: Town, cora: Client) -> None:
    case = town.case("decided")
    LawDocument.objects.filter(kind="privacy-notice").delete()
    off = "The register is off until these documents are recorded: Privacy notice."

    assert off in text(cora, f"/cases/{case.pk}/")
    page = text(cora, f"/cases/{case.pk}/issue/")
    assert off in page
    assert ">Issue</button>" not in page


def test_notices_of_a_case_are_not_taken_for_notices_to_the_reader(town: Town, cora: Client) -> None:
    page = text(cora, f"/cases/{town.case('served').pk}/")

    assert "<caption>Notices</caption>" in page
    assert "I have read this" not in page


def test_photograph_that_readers_see_is_on_the_co_ordinators_page_alone(
    town: Town, cora: Client, signed_in: SignedIn
) -> None:
    case = town.case("nominated")
    photograph = Photograph.objects.create(
        individual=case.individual, file="0" * 32, wrapped_key=b"", original_sha256="0", source="shop", width=1,
        height=1, added_by=town.cora, is_shown=False,
    )  # fmt: skip
    page = text(cora, f"/cases/{case.pk}/")
    assert "<img" not in page
    assert "Photographs (1)" in page
    Photograph.objects.update(is_shown=True, crop_width=3, crop_height=4)

    assert f'src="/photographs/{photograph.pk}/portrait.jpg"' in text(cora, f"/cases/{case.pk}/")
    assert "<img" not in text(signed_in(town.contacts[0]), f"/cases/{case.pk}/")


def test_first_page_says_what_waits(town: Town, cora: Client, signed_in: SignedIn) -> None:
    nominated, served, checked = (town.case(state) for state in ("nominated", "served", "checked"))
    acts.open_vote(town.turn(checked), "between-meetings")
    page, contact = text(cora, "/"), signed_in(town.contacts[1])

    assert "1 case waits for you" in page
    assert f'<a href="/cases/{nominated.pk}/">{nominated.reference}</a>: Nominated' in page
    assert f"/cases/{served.pk}/" not in page
    ballot = town.ballot(checked)
    assert f'<a href="/votes/{ballot.pk}/">{checked.reference}</a>: ends ' in text(contact, "/")
    contact.post(f"/votes/{ballot.pk}/cast/", {f"member-{town.members[1].pk}": "exclude"})
    assert "waits for you" not in text(contact, "/")
    assert "waits for you" not in text(signed_in(town.contacts[0]), "/")


@pytest.mark.parametrize("state", ["decided", "issued", "served"])
def test_page_and_list_say_that_an_under_18_lacks_the_second_approval(town: Town, cora: Client, state: State) -> None:
    """Found out late, too: who is served already has been excluded on one co-ordinator's word."""
    case = town.case(state)
    wanted = "a second co-ordinator’s approval: the person is under 18"
    assert wanted not in text(cora, "/cases/")
    Individual.objects.update(born_on=day_of(timezone.now()) - timedelta(days=15 * 365))
    assert wanted in text(cora, "/cases/")
    assert wanted in text(cora, f"/cases/{case.pk}/")
    acts.approve_minor(town.turn(case, town.deputy), "seen with the school", may_show=False)

    assert wanted not in text(cora, f"/cases/{case.pk}/")
