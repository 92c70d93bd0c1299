"""What waits for whom, and in which order (no database)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from office.start.rules import NAMES_SHOWN, Colleague, Facts, Line, Named, Shop, SignIn, to_do

ME = Colleague(1, "Cora", passkeys=2, has_app=True, has_printed_codes=True, enters_control_room=True)
GOOD_SHOP = Shop(5, "Corner Shop", has_key_holder=True, has_staff_contact=True)
SETTLED = Facts(me=1, leads=True, colleagues=[ME], shops=[GOOD_SHOP], fitted=frozenset({5}))
NEW = "You cannot enter the control room without the office"


def said(facts: Facts) -> list[str]:
    return [line.what for line in to_do(facts)]


def only(facts: Facts) -> Line:
    (line,) = to_do(facts)
    return line


def test_nothing_waits_where_all_is_settled() -> None:
    assert () == to_do(SETTLED)


@pytest.mark.parametrize(
    ("passkeys", "app", "printed", "enters", "sign_in"),
    [
        (0, False, False, True, "none"),
        (0, False, True, True, "none"),  # printed codes open the control room, but nothing is set up here
        (0, False, False, False, "none"),
        (0, True, False, True, "through the office only"),
        (0, True, False, False, "single"),
        (0, True, True, True, "single"),
        (1, False, False, True, "single"),
        (1, False, True, True, "single"),
        (1, True, False, True, "well"),
        (2, False, False, False, "well"),
    ],
)
def test_ways_to_sign_in(passkeys: int, sign_in: SignIn, *, app: bool, printed: bool, enters: bool) -> None:
    assert sign_in == Colleague(9, "Jo", passkeys, app, printed, enters).sign_in


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"alone_in": ["HART"]}, "Nobody else can sign in as co-ordinator of HART"),
        ({"alone_in": ["A", "B", "C"]}, "Nobody else can sign in as co-ordinator of A, B and C"),
        ({"upload": "abc"}, "You uploaded a list of premises and did not import it"),
        ({"colleagues": [replace(ME, passkeys=0, has_printed_codes=False)]}, NEW),
        ({"colleagues": [replace(ME, passkeys=0)]}, "You have a single passkey or app"),
        ({"colleagues": [ME, replace(ME, number=2, passkeys=0, has_app=False)]}, "1 person cannot sign in"),
        (
            {"colleagues": [replace(ME, number=n, passkeys=0, has_printed_codes=False) for n in (2, 3)]},
            "2 people cannot enter the control room without the office",
        ),
        ({"colleagues": [replace(ME, number=2, passkeys=0)]}, "1 person has a single passkey or app"),
        ({"invitations": [Named(1, "Ann")]}, "1 invitation has not been used"),
        ({"invitations": [Named(1, "Ann"), Named(2, "Al")]}, "2 invitations have not been used"),
        ({"shops": []}, "There are no premises yet"),
        ({"shops": [replace(GOOD_SHOP, has_key_holder=False)]}, "1 premises has no key-holder"),
        ({"shops": [replace(GOOD_SHOP, has_key_holder=False)] * 2}, "2 premises have no key-holder"),
        ({"shops": [replace(GOOD_SHOP, has_staff_contact=False)]}, "1 premises does not say how to reach staff"),
        ({"shops": [replace(GOOD_SHOP, has_staff_contact=False)] * 2}, "2 premises do not say how to reach staff"),
        ({"fitted": frozenset({6})}, "1 premises has no unit yet"),
        ({"shops": [GOOD_SHOP] * 1_200, "fitted": frozenset()}, "1,200 premises have no unit yet"),
        ({"fitted": None}, "Nobody knows which premises have a unit"),
        ({"members_without_contact": [Named(1, "Shops Ltd")]}, "1 member has no contact"),
        ({"members_without_contact": [Named(1, "A"), Named(2, "B")]}, "2 members have no contact"),
        ({"requests": [Named(1, "Complains", "due on 3 Mar")]}, "1 person waits for your answer"),
        ({"requests": [Named(1, "Objects"), Named(2, "Complains")]}, "2 people wait for your answer"),
        ({"galleries": [Named(1, "A")]}, "1 unit may show somebody who must not be shown, or its view log is broken"),
        ({"galleries_late": [Named(1, "A"), Named(2, "B")]}, "2 units need somebody for their galleries"),
        ({"beyond": [Named(1, "HART")]}, "1 scheme has more people excluded than shops are shown"),
        ({"beyond": [Named(1, "A"), Named(2, "B")]}, "2 schemes have more people excluded than shops are shown"),
        ({"rota_gaps": [Named(0, "PCSO in HART")]}, "1 time in the next seven days NOBODY is on the rota"),
        ({"rota_gaps": [Named(0, "A")] * 2}, "2 times in the next seven days NOBODY is on the rota"),
        ({"swaps": [Named(4, "Jo Patel")]}, "1 colleague asks you to swap shifts"),
        ({"reviews": [Named(1, "Privacy notice")]}, "1 document is to be reviewed"),
        ({"reviews": [Named(1, "A"), Named(2, "B")]}, "2 documents are to be reviewed"),
    ],
)
def test_one_thing_that_waits_is_one_line(more: dict[str, object], what: str) -> None:
    line = only(replace(SETTLED, **more))  # type: ignore[arg-type]

    assert what == line.what
    assert line.to_do.endswith(".")


def test_the_control_room_closed_to_oneself_is_grave_and_to_another_is_not_yet() -> None:
    through_office = replace(ME, passkeys=0, has_printed_codes=False)

    assert only(replace(SETTLED, colleagues=[through_office])).is_grave
    assert not only(replace(SETTLED, colleagues=[ME, replace(through_office, number=2)])).is_grave


def test_what_locks_people_out_comes_first() -> None:
    stranded = replace(ME, number=2, name="Ben", passkeys=0, has_app=False)
    facts = replace(SETTLED, alone_in=["HART"], upload="abc", colleagues=[ME, stranded], invitations=[Named(1, "Ann")])

    assert [True, True, False, False] == [line.is_grave for line in to_do(facts)]
    assert ["Nobody else", "1 person cannot sign in", "You uploaded", "1 invitation"] == [
        line.what[: len(start)]
        for line, start in zip(
            to_do(facts), ["Nobody else", "1 person cannot sign in", "You uploaded", "1 invitation"], strict=True
        )
    ]


def test_nobody_on_the_rota_is_grave_and_a_swap_is_for_who_leads_nothing_too() -> None:
    assert only(replace(SETTLED, rota_gaps=[Named(0, "PCSO in HART", "now")])).is_grave
    assert said(Facts(me=1, swaps=[Named(4, "Jo Patel")])) == ["1 colleague asks you to swap shifts"]


def test_line_names_a_few_and_counts_the_rest() -> None:
    shops = [Shop(n, f"Shop {n}", has_key_holder=False, has_staff_contact=True) for n in range(40)]
    line = only(replace(SETTLED, shops=shops, fitted=frozenset(range(40))))

    assert [f"Shop {n}" for n in range(NAMES_SHOWN)] == [one.name for one in line.shown]
    assert (40 - NAMES_SHOWN, "premises", "?missing=key-holder") == (line.left_out, line.each, line.query)


def test_who_co_ordinates_nothing_hears_of_themselves_only() -> None:
    facts = Facts(me=1, colleagues=[replace(ME, passkeys=0, has_printed_codes=False)])

    assert [NEW] == said(facts)


def test_votes_and_cases_wait_first_and_votes_for_who_leads_nothing() -> None:
    votes, cases = [Named(7, "HART case 1", "ends 4 Dec, 14:30")], [Named(n, f"HART case {n}") for n in (2, 3)]

    assert said(Facts(me=1, votes=votes)) == ["1 vote waits for you"]
    assert said(replace(SETTLED, votes=votes, cases=cases)) == ["1 vote waits for you", "2 cases wait for you"]


def test_backup_that_failed_stands_first_with_its_reason() -> None:
    """Nothing that is done today outlives the machine, and somebody must be told."""
    fault = "The office’s backup is late: none has been made. Tell the engineer."
    first, *_ = to_do(Facts(me=1, leads=True, alone_in=("HART",), backup_faults=(fault,)))

    assert ("The office’s backup is late", "None has been made. Tell the engineer.") == (first.what, first.to_do)
    assert first.is_grave
