from __future__ import annotations

from datetime import UTC, datetime, timedelta

from office.exclusions.line import Line, draw
from office.exclusions.rules.life import State


def drawn(state: State, *moves: str) -> Line:
    begin = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    return draw(state, [(move, begin + timedelta(days=day)) for day, move in enumerate(moves)], "26 Nov 2027")


def test_line_shows_what_is_behind_now_and_ahead() -> None:
    line = drawn("issued", "nominate", "check", "open-vote", "accept", "issue")

    assert [(one.label, one.kind) for one in line.stations] == [
        ("Nominated", "done"),
        ("Checked", "done"),
        ("Being voted on", "done"),
        ("Decided: excluded", "done"),
        ("Issued", "now"),
        ("Served", "ahead"),
        ("Ends", "ahead"),
    ]
    assert line.stations[-1].day == "26 Nov 2027"
    assert line.solid_to == line.stations[4].y < line.height


def test_line_gives_days_of_the_town() -> None:
    """00:30 in summer time is the next day, though it is 23:30 in UTC."""
    assert [one.day for one in drawn("checked", "nominate", "check").stations[:2]] == ["28 Mar 2026", "30 Mar 2026"]


def test_line_ends_where_the_case_is_over() -> None:
    line = drawn("revoked", "nominate", "check", "open-vote", "accept", "issue", "appeal", "revoke")

    assert [(one.label, one.kind) for one in line.stations[-2:]] == [("Appealed", "event"), ("Revoked", "end")]


def test_line_tells_a_vote_without_quorum_and_a_second_one() -> None:
    kinds = [
        (one.label, one.kind)
        for one in drawn("voting", "nominate", "check", "open-vote", "find-no-quorum", "open-vote").stations
    ]

    assert kinds[2:5] == [("Being voted on", "done"), ("Too few members voted", "event"), ("Being voted on", "now")]


def test_line_stands_at_what_led_back() -> None:
    line = drawn("checked", "nominate", "check", "open-vote", "stop-vote")

    assert [one.kind for one in line.stations][:4] == ["done", "done", "done", "now"]
    assert [one.label for one in line.stations][4:6] == ["Being voted on", "Decided: excluded"]


def test_line_says_the_same_in_words() -> None:
    assert (
        drawn("checked", "nominate", "check").said == "The case’s life: Nominated, 28 Mar 2026; Checked, 30 Mar 2026."
    )
