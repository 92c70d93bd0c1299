"""The week, and what co-ordinators change in it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from office.accounts.models import Account, Notice, RoleGrant
from office.audit.models import AuditRow
from office.rota.acts import tidy_rota
from office.rota.models import RotaCover, RotaOverride, RotaPattern
from office.rota.planned import good_shifts
from office.rota.rules.plan import Pattern
from office.rota.rules.spans import Span
from office.rota.week import gaps_of
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.rota.conftest import NOW, pattern

PATTERN = {
    "weekdays": ["0", "1", "2", "3", "4"],
    "every_weeks": 1,
    "begins": "22:00",
    "ends": "06:00",
    "hours": "",
    "first": "2026-12-07",
    "last": "",
    "turn": "week",
}
OVERRIDE = {
    "what": "stands-in",
    "begins_day": "2026-12-02",
    "begins": "00:00",
    "ends_day": "2026-12-05",
    "ends": "00:00",
    "reason": "holiday",
}


def actions() -> list[str]:
    return list(AuditRow.objects.order_by("sequence").values_list("action", flat=True))


def text_of(browser: Client, address: str) -> str:
    """What a page says, in one line."""
    answer = browser.get(address)
    assert answer.status_code == 200, answer
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_week_says_who_is_on_until_when_and_who_is_next(cora: Client, days: RotaPattern, nights: RotaPattern) -> None:
    page = text_of(cora, "/rota/")

    assert "Jo Patel, until 20:00 Next: Sam Reed, from 20:00" in page
    assert "Mon 30 Nov Mon 00:00" not in page
    assert "Tue 1 Dec today 08:00–20:00 Jo Patel" in page
    assert "20:00–08:00 Sam Reed" in page
    assert "NOBODY" not in page


def test_first_day_of_a_week_shows_the_night_before(cora: Client, days: RotaPattern, nights: RotaPattern) -> None:
    assert "Mon 7 Dec Sun 20:00–08:00 Sam Reed" in text_of(cora, "/rota/?week=2026-12-10")


@pytest.mark.parametrize("week", ["", "x", "2026-13-01", "9999-12-31", "0001-01-01", "2026-12-03"])
def test_a_week_that_is_none_is_this_one(cora: Client, days: RotaPattern, week: str) -> None:
    assert "Tue 1 Dec today" in text_of(cora, f"/rota/?week={week}")


def test_a_week_far_off_is_reckoned_without_the_years_between(
    cora: Client, days: RotaPattern, monkeypatch: pytest.MonkeyPatch
) -> None:
    reckoned: list[date] = []

    def account(self: Pattern, day: date) -> int:
        reckoned.append(day)
        return self.people[0]

    monkeypatch.setattr(Pattern, "account", account)
    page = text_of(cora, "/rota/?week=2099-01-01")

    assert "Thu 1 Jan 08:00–20:00 Jo Patel" in page
    assert "Jo Patel, until 20:00 Next: Jo Patel, from Wed 2 Dec, 08:00" in page
    assert len(reckoned) < 60


def put_on(cora: Client, query: str, account: Account) -> tuple[dict[str, Any], int]:
    """What a gap's form says, and how it answers when it is sent with somebody."""
    form = cora.get(f"/rota/hart/pcso/overrides/add/?{query}").context["form"].initial
    sent = {**{key: str(value) for key, value in form.items() if value is not None}, "account": account.pk}
    return form, cora.post("/rota/hart/pcso/overrides/add/", sent).status_code


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 12, 1), 24), (date(2027, 3, 27), 23), (date(2027, 10, 30), 25)])
def test_gap_of_days_is_filled_a_day_at_a_time(cora: Client, jo: Account, day: date, hours: int) -> None:
    RotaCover.objects.create(
        scheme_id=HART, role="pcso", weekdays="0123456", begins=time(), length_min=1_440, first=NOW.date()
    )
    (gap,) = gaps_of({HART}, datetime.combine(day, time(12), UTC))
    _, status = put_on(cora, gap.query, jo)

    assert 302 == status
    made = RotaOverride.objects.get()
    assert timedelta(hours=hours) == made.ends_at - made.begins_at


def test_gap_is_loud_and_somebody_is_put_on_from_there(
    cora: Client, days: RotaPattern, nights: RotaPattern, jo: Account
) -> None:
    RoleGrant.objects.filter(account=nights.people[0]).delete()
    page = cora.get("/rota/").content.decode()
    found = re.search(r'href="/rota/hart/pcso/overrides/add/\?(from=\d+&amp;to=\d+)">Put somebody on', page)
    assert found is not None
    form, status = put_on(cora, found[1].replace("&amp;", "&"), jo)

    assert "NOBODY ON THE ROTA: 7 times in the next seven days in HART" in page
    assert "Sam Reed is on the rota as PCSO" in page
    assert (form["begins_day"], form["begins"], form["ends"]) == (date(2026, 12, 1), time(20), time(8))
    assert status == 302
    assert "6 times in the next seven days" in text_of(cora, "/rota/")


def test_cover_shows_hours_of_which_nobody_has_thought(cora: Client, days: RotaPattern) -> None:
    sent = {**PATTERN, "weekdays": ["1"], "begins": "06:00", "ends": "08:00"}

    assert cora.post("/rota/hart/pcso/covers/add/", sent).status_code == 302
    assert RotaCover.objects.get().length_min == 120
    assert "NOBODY 06:00–08:00" in text_of(cora, "/rota/?week=2026-12-08")
    assert ["rota-cover.added"] == actions()


def test_pattern_is_added_changed_and_removed_each_with_its_row(
    cora: Client, jo: Account, sam: Account, co_ordinator: Account
) -> None:
    sent = {**PATTERN, "person_0": jo.pk, "person_1": sam.pk}
    assert cora.post("/rota/hart/pcso/patterns/add/", sent).status_code == 302
    added = RotaPattern.objects.get()
    assert (added.length_min, added.people, added.turn) == (480, [jo.pk, sam.pk], "week")
    edit = f"/rota/patterns/{added.pk}/edit/"
    assert cora.get(edit).context["form"].initial["person_1"] == sam.pk
    sent["seen"] = cora.get(edit).context["form"].initial["seen"]
    assert cora.post(edit, sent).status_code == 302  # nothing changed, nothing recorded
    assert cora.post(edit, {**sent, "ends": "", "hours": "24"}).status_code == 302
    assert RotaPattern.objects.get().length_min == 1_440
    assert (
        "Jo Patel, Sam Reed Monday to Friday, 24 hours from 22:00, from 7 Dec 2026; the next person comes each Monday."
        in (text_of(cora, "/rota/hart/"))
    )
    assert cora.post(f"/rota/patterns/{added.pk}/remove/").status_code == 302

    assert ["rota-pattern.added", "rota-pattern.changed", "rota-pattern.removed"] == actions()
    first = AuditRow.objects.earliest("sequence").details
    assert "Monday to Friday, 22:00 to 06:00, from 7 Dec 2026" in first
    assert not RotaPattern.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ends": "22:00"}, "begins and ends at the same time"),
        ({"ends": "", "hours": "30"}, "24 hours at most"),
        ({"hours": "8"}, "not both"),
        ({"last": "2026-12-01"}, "The last day is before the first"),
        ({"weekdays": []}, "at least one"),
        ({"begins": "25:00"}, "Enter a time, such as 22:00."),
        ({"every_weeks": "0"}, "from 1 to 12"),
        ({"person_0": ""}, "at least one person"),
        ({"person_0": "999"}, "Choose somebody who is PCSO in this scheme."),
        ({"ends": "", "hours": "nan"}, "Enter a number"),
        ({"first": "9999-12-31"}, "Enter a year until 2199."),
    ],
)
def test_bad_input_gets_one_clear_sentence(cora: Client, jo: Account, wrong: dict[str, object], said: str) -> None:
    answer = cora.post("/rota/hart/pcso/patterns/add/", {**PATTERN, "person_0": jo.pk, **wrong})

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not RotaPattern.objects.exists()


def test_who_is_put_on_moved_or_taken_off_by_a_pattern_is_told(
    cora: Client, jo: Account, sam: Account, co_ordinator: Account
) -> None:
    RoleGrant.objects.create(account=co_ordinator, role="pcso", scheme_id=HART)
    own = {**PATTERN, "person_0": jo.pk}
    cora.post("/rota/hart/pcso/patterns/add/", own)
    added = RotaPattern.objects.get()
    address = f"/rota/patterns/{added.pk}/edit/"
    cora.post(address, {**own, "seen": added.mark})
    cora.post(address, {**own, "seen": added.mark, "person_0": sam.pk, "person_1": co_ordinator.pk})
    added.refresh_from_db()
    cora.post(address, {**own, "seen": added.mark, "person_0": sam.pk, "begins": "21:00"})
    cora.post(f"/rota/patterns/{added.pk}/remove/")
    cora.post("/rota/hart/pcso/covers/add/", PATTERN)

    by, as_what = co_ordinator.name, "as PCSO in HART"
    told = Notice.objects.order_by("pk").values_list("account", "text")
    assert [
        (jo.pk, f"{by} put you on the rota {as_what}, Monday to Friday, 22:00 to 06:00, from 7 Dec 2026."),
        (jo.pk, f"{by} took you off the rota {as_what}. Look at the rota."),
        (sam.pk, f"{by} put you on the rota {as_what}, in turn with others. Look at the rota."),
        (sam.pk, f"{by} changed your shifts {as_what}, Monday to Friday, 21:00 to 06:00, from 7 Dec 2026."),
        (sam.pk, f"{by} took you off the rota {as_what}. Look at the rota."),
    ] == sorted(told, key=lambda one: one[0] != jo.pk)


def test_second_of_two_who_change_a_pattern_at_once_is_told(
    cora: Client, days: RotaPattern, jo: Account, sam: Account
) -> None:
    page = cora.get(f"/rota/patterns/{days.pk}/edit/").context["form"]
    sent = {**PATTERN, "seen": page["seen"].value(), "person_0": jo.pk}
    first = cora.post(f"/rota/patterns/{days.pk}/edit/", {**sent, "person_1": sam.pk})
    second = cora.post(f"/rota/patterns/{days.pk}/edit/", {**sent, "begins": "21:00"})

    assert [302, 400] == [first.status_code, second.status_code]
    assert "changed or removed this meanwhile" in second.content.decode()
    days.refresh_from_db()
    assert (days.people, days.begins) == ([jo.pk, sam.pk], time(22))


def test_pattern_with_somebody_who_has_left_says_so_when_it_is_edited(cora: Client, days: RotaPattern) -> None:
    RoleGrant.objects.filter(account=days.people[0]).delete()
    answer = cora.post(f"/rota/patterns/{days.pk}/edit/", {**PATTERN, "person_0": days.people[0]})

    assert answer.status_code == 400
    assert "Jo Patel is not PCSO in this scheme any more." in answer.content.decode()


def test_scheme_has_no_more_patterns_than_it_may(cora: Client, jo: Account) -> None:
    RotaPattern.objects.bulk_create(
        RotaPattern(scheme_id=HART, role="pcso", begins=time(8), length_min=1, first=NOW.date()) for _ in range(200)
    )
    answer = cora.post("/rota/hart/pcso/patterns/add/", {**PATTERN, "person_0": jo.pk})

    assert "200 patterns at most" in answer.content.decode()


def test_holiday_is_one_override_and_both_are_told(
    cora: Client, days: RotaPattern, nights: RotaPattern, jo: Account, sam: Account
) -> None:
    sent = {**OVERRIDE, "account": sam.pk, "instead_of": jo.pk}
    assert cora.post("/rota/hart/pcso/overrides/add/", sent).status_code == 302
    window = Span(datetime(2026, 12, 2, tzinfo=UTC), datetime(2026, 12, 5, tzinfo=UTC))
    page = text_of(cora, "/rota/hart/")

    assert {sam.pk} == {shift.account for shift in good_shifts(window)}
    assert "Sam Reed for Jo Patel holiday" in page
    told = dict(Notice.objects.values_list("account__name", "text"))
    told_sam = (
        "Cora Hart put you on the rota as PCSO in HART, for Jo Patel’s shifts: Wed 2 Dec, 00:00 to Sat 5 Dec, 00:00."
    )
    assert told_sam == told["Sam Reed"]
    assert told["Jo Patel"].startswith("Cora Hart took you off the rota")
    assert cora.post(f"/rota/overrides/{RotaOverride.objects.get().pk}/remove/").status_code == 302
    assert ["rota-override.added", "rota-override.removed"] == actions()


@pytest.mark.parametrize(
    ("typed", "is_said"),
    [
        ({"what": "stands-in"}, False),
        ({"what": "off"}, False),
        ({"what": "nobody"}, False),
        ({"what": "besides", "begins_day": "2026-10-30", "ends_day": "2026-10-31"}, False),
        ({"what": "stands-in", "begins_day": "2026-10-30", "ends_day": "2026-11-01"}, True),
        ({"what": "off", "begins_day": "2026-10-30", "ends_day": "2026-11-01"}, True),
        ({"what": "nobody", "begins_day": "2026-10-30", "ends_day": "2026-11-01"}, True),
    ],
)
def test_change_that_meets_no_shift_says_so(
    cora: Client, days: RotaPattern, jo: Account, sam: Account, typed: dict[str, str], *, is_said: bool
) -> None:
    sent = {**OVERRIDE, "account": sam.pk, "instead_of": jo.pk, **typed}
    answer = cora.post("/rota/hart/pcso/overrides/add/", sent, follow=True)

    assert ("so the week looks as before" in answer.content.decode()) == is_said
    assert RotaOverride.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"what": ""}, "Choose what is otherwise."),
        ({"ends_day": "2026-12-01"}, "This ends before it begins."),
        ({"what": "besides"}, "24 hours at most"),
        ({"instead_of": ""}, "Choose the person."),
        ({"account": ""}, "Choose the person."),
        ({"ends_day": "2027-12-01"}, "62 days at most"),
        ({"begins_day": "soon"}, "Enter a day"),
    ],
)
def test_override_that_cannot_be_is_refused(
    cora: Client, days: RotaPattern, sam: Account, wrong: dict[str, object], said: str
) -> None:
    answer = cora.post(
        "/rota/hart/pcso/overrides/add/", {**OVERRIDE, "account": sam.pk, "instead_of": days.people[0], **wrong}
    )

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not RotaOverride.objects.exists()


@pytest.mark.parametrize(
    "query", ["from=1&to=x", "from=5&to=5", "to=5", "from=99999999999&to=999999999999", "from=-1&to=5"]
)
def test_link_that_is_none_opens_an_empty_form(cora: Client, query: str) -> None:
    assert cora.get(f"/rota/hart/pcso/overrides/add/?{query}").status_code == 200


def test_link_to_longer_than_anybody_is_away_opens_an_empty_form(cora: Client, days: RotaPattern) -> None:
    begins, a_day = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp()), 86_400
    pages = [
        cora.get(f"/rota/hart/pcso/overrides/add/?from={begins}&to={begins + length * a_day}").content.decode()
        for length in (62, 63)
    ]

    assert ['value="2026-12-01"' in page for page in pages] == [True, False]


def test_two_rotas_and_overlaps_are_told_to_the_co_ordinator(
    cora: Client, days: RotaPattern, jo: Account, sam: Account
) -> None:
    RoleGrant.objects.create(account=jo, role="duty-sergeant", scheme_id=HART)
    pattern(jo, begins=time(19), role="duty-sergeant", last=date(2026, 12, 1))
    pattern(sam, begins=time(19), last=date(2026, 12, 1))
    page = text_of(cora, "/rota/")

    assert "Jo Patel is on two rotas at once: PCSO on Tue 1 Dec, 08:00 to 20:00, and Duty sergeant on" in page
    assert "Jo Patel and Sam Reed are both on as PCSO on Tue 1 Dec, 19:00 to 20:00." in page


@pytest.mark.parametrize("reads_both", [True, False])
def test_two_rotas_of_two_schemes_are_told_to_who_may_read_both(
    cora: Client, days: RotaPattern, jo: Account, co_ordinator: Account, *, reads_both: bool
) -> None:
    RoleGrant.objects.create(account=jo, role="pcso", scheme_id=PUB_WATCH)
    RoleGrant.objects.filter(account=co_ordinator, scheme=PUB_WATCH).delete()
    if reads_both:
        RoleGrant.objects.create(account=co_ordinator, role="police", scheme_id=PUB_WATCH)
    pattern(jo, begins=time(19), scheme_id=PUB_WATCH, last=date(2026, 12, 1))
    page = text_of(cora, "/rota/")

    said = "Jo Patel is on two rotas at once: PCSO on Tue 1 Dec, 08:00 to 20:00, and PCSO in Pub Watch on Tue 1 Dec"
    assert (said in page) == reads_both
    assert ("two rotas" in page) == reads_both


def test_same_two_rotas_each_day_are_told_once_and_a_desk_of_two_schemes_not_at_all(
    cora: Client, days: RotaPattern, jo: Account, sam: Account, co_ordinator: Account
) -> None:
    RoleGrant.objects.create(account=jo, role="duty-sergeant", scheme_id=HART)
    pattern(jo, begins=time(19), role="duty-sergeant")
    for scheme in (HART, PUB_WATCH):
        RoleGrant.objects.create(account=sam, role="cctv", scheme_id=scheme)
        pattern(sam, begins=time(18), length_min=1440, role="cctv", scheme_id=scheme)
    RoleGrant.objects.get_or_create(account=co_ordinator, role="co-ordinator", scheme_id=PUB_WATCH)
    page = text_of(cora, "/rota/")

    assert 1 == page.count("two rotas")
    assert re.search(r"Duty sergeant on Tue 1 Dec, 19:00 to 07:00, and \d+ more times\.", page)
    assert "Sam Reed, for two weeks at least Nobody else is planned in" in page
    assert "18:00, 24 hours Sam Reed" in page


def test_who_may_answer_reads_the_scheme_and_changes_nothing(
    signed_in: SignedIn, make_person: MakePerson, days: RotaPattern, jo: Account
) -> None:
    own, other = signed_in(jo), signed_in(make_person("opal", ("pcso", PUB_WATCH)))
    page = own.get("/rota/").content.decode()

    assert "<strong>Jo Patel</strong>" in page
    assert "overrides/add" not in page
    assert own.get(f"/rota/patterns/{days.pk}/edit/").status_code == 404
    assert "Jo Patel" not in other.get("/rota/").content.decode()
    for role in ("fleet-engineer", "members-contact"):
        assert signed_in(make_person(role, (role, HART))).get("/rota/").status_code == 404


def test_what_was_long_ago_is_forgotten(days: RotaPattern, jo: Account) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    RotaOverride.objects.create(scheme_id=HART, role="pcso", begins_at=at, ends_at=at, account=jo)
    RotaPattern.objects.create(
        scheme_id=HART, role="pcso", begins=time(8), length_min=1, first=at.date(), last=at.date()
    )
    tidy_rota(NOW)

    assert list(RotaPattern.objects.all()) == [days]
    assert not RotaOverride.objects.exists()


def test_first_page_tells_the_co_ordinator_of_gaps(cora: Client, days: RotaPattern, nights: RotaPattern) -> None:
    assert "NOBODY is on the rota" not in text_of(cora, "/")
    RoleGrant.objects.filter(account=nights.people[0]).delete()
    page = text_of(cora, "/")

    assert "7 times in the next seven days NOBODY is on the rota" in page
    assert "PCSO in HART: Tue 1 Dec, 20:00 to 08:00" in page


def test_gap_is_told_whole_and_one_without_an_end_as_such(cora: Client, days: RotaPattern, sam: Account) -> None:
    """A week after noon is in the middle of Tuesday's shift."""
    RoleGrant.objects.filter(account=days.people[0]).delete()
    page = text_of(cora, "/rota/")

    assert "PCSO : now, until Tue 1 Dec, 20:00" in page
    assert "PCSO : Tue 8 Dec, 08:00 to 20:00" in page
    assert "PCSO : Wed 9 Dec" not in page
    pattern(sam, begins=time(20))
    RoleGrant.objects.filter(account=sam).delete()
    assert "PCSO : from now on" in text_of(cora, "/rota/")
