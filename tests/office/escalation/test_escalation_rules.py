"""What a policy may say, what is proposed, and what is odd about one (C3)."""

from __future__ import annotations

import pytest

from office.escalation.rules import (
    KIND_TITLES,
    NO_KINDS,
    NO_STEPS,
    Policy,
    duty_role,
    kinds_text,
    proposal,
    sorted_kinds,
    wait_text,
    warnings,
    ways_text,
    why_not,
    without_policy,
)
from wire.kinds import AlertKind
from wire.snapshots import StepEntry

PCSO = StepEntry(role="pcso", wait_s=30, ways=("push",))
CCTV = StepEntry(role="cctv", wait_s=45)


def test_every_kind_but_the_test_may_have_a_policy() -> None:
    assert {kind.slug for kind in AlertKind} - {"test"} == set(KIND_TITLES)


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (Policy((), (PCSO,)), NO_KINDS),
        (Policy(("theft",), ()), NO_STEPS),
        (Policy(("theft", "assist", "attack"), (PCSO,)), "Another policy of HART is for Assist, Attack: take it out"),
    ],
    ids=["no kinds", "no steps", "kinds of another policy"],
)
def test_a_policy_that_cannot_be_is_refused_with_a_sentence(policy: Policy, says: str) -> None:
    others = (Policy(("attack", "assist"), (PCSO,)), Policy(("fault",), (PCSO,)))

    assert str(why_not("HART", policy, others)).startswith(says)


def test_a_policy_for_kinds_of_its_own_is_taken() -> None:
    assert why_not("HART", Policy(("theft",), (PCSO,)), [Policy(("attack",), (PCSO,))]) is None


@pytest.mark.parametrize(
    ("slug", "roles", "expected"),
    [
        ("hart", {}, "duty-sergeant"),
        ("pub-watch", {}, "duty-officer"),
        ("pubwatch", {}, "duty-officer"),
        ("pub-watch", {"duty-sergeant": 1}, "duty-sergeant"),
        ("hart", {"duty-officer": 2}, "duty-officer"),
        ("hart", {"duty-officer": 2, "duty-sergeant": 1}, "duty-sergeant"),
    ],
)
def test_who_leads_on_duty_is_who_is_there_else_who_the_scheme_has(
    slug: str, roles: dict[str, int], expected: str
) -> None:
    assert expected == duty_role(slug, roles)


def test_proposal_asks_pcso_then_duty_role_then_co_ordinator() -> None:
    proposed = proposal("hart", {})

    assert proposed.kinds == ("attack", "assist")
    assert [(step.role, step.wait_s) for step in proposed.steps] == [
        ("pcso", 30),
        ("duty-sergeant", 30),
        ("co-ordinator", 60),
    ]
    assert proposed.round_s == 120
    assert why_not("HART", proposed, ()) is None


def test_a_role_that_nobody_has_is_told_and_not_refused() -> None:
    policy = Policy(("attack",), (PCSO, CCTV, PCSO))

    assert list(warnings("HART", policy, {"pcso": 1, "cctv": 1}, ())) == []
    assert list(warnings("HART", policy, {"cctv": 1}, ())) == [
        "Nobody in HART is PCSO: that step is skipped. Give somebody the role, or take it out."
    ]
    assert ["has any of these roles" in one for one in warnings("HART", policy, {"police": 1}, ())] == [True]


def test_a_way_by_which_nobody_can_be_reached_is_told() -> None:
    """But push, of which the office knows nothing, and that of a role nobody has."""
    policy = Policy(("attack",), (StepEntry(role="pcso", wait_s=30, ways=("push", "sms", "email")), CCTV))
    reached = {("pcso", "sms"), ("cctv", "email")}

    assert list(warnings("HART", policy, {"pcso": 2, "cctv": 1}, reached)) == [
        "Nobody in HART who is PCSO can be reached by e-mail: ask them to say under “Your account” how."
    ]
    assert len(list(warnings("HART", policy, {"cctv": 1}, ()))) == 1


def test_kinds_without_a_policy_are_named_in_the_order_of_urgency() -> None:
    left = without_policy([Policy(("attack", "assist"), (PCSO,)), Policy(("fault", "power"), (PCSO,))])

    assert kinds_text(left) == "Disorder, Theft in progress, Sighting, Breach, Call request, Tampering"
    assert sorted_kinds(["fault", "attack", "nonsense"]) == ("attack", "fault")


@pytest.mark.parametrize(("seconds", "text"), [(30, "30 s"), (60, "1 min"), (90, "1 min 30 s"), (3_600, "60 min")])
def test_seconds_are_read_as_people_say_them(seconds: int, text: str) -> None:
    assert text == wait_text(seconds)


def test_ways_are_read_beside_the_open_pages() -> None:
    assert ways_text(()) == "open pages only"
    assert ways_text(("push",)) == "open pages and push to their phone"
    assert ways_text(("push", "sms", "email")) == "open pages, push to their phone, text message and e-mail"
