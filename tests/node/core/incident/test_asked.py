"""C3: the presser reads which role central asks now, or that there is nobody, and nothing that is no longer so."""

from __future__ import annotations

import pytest

from node.core.controls import Button
from node.core.events import LinkDown
from node.core.panel.words import asking
from node.core.screens import LINE_CHARS_MAX
from tests.support.node_world import World
from wire.ids import NodeId
from wire.kinds import Role
from wire.messages import Asked, MemberAnswer

OURS = NodeId(0x10)


@pytest.fixture
def world(world: World) -> World:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    return world


def says_asked(world: World, role: str | None, revision: int = 2, scheme: str = "hart") -> None:
    asked = Asked(role=role, since=world.wall())
    world.do(world.says(OURS, 1, revision=revision, scheme=scheme, asked=asked))


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("pcso", "Asking PCSO on duty"),
        ("duty-sergeant", "Asking Duty sergeant"),
        ("cctv", "Asking CCTV"),
        ("warden", "Asking WARDEN"),
    ],
)
def test_presser_reads_which_role_is_asked(world: World, role: str, words: str) -> None:
    says_asked(world, role)

    assert (("RECEIVED",), ("by central system", words)) == (world.screen.headline, world.screen.lines)


@pytest.mark.parametrize("role", [*(one.slug for one in Role), "a-role-of-a-newer-central-0123456"])
def test_role_that_is_asked_fits_a_line(role: str) -> None:
    assert len(asking(role)) <= LINE_CHARS_MAX


def test_presser_reads_nobody_and_what_to_do(world: World) -> None:
    world.do(world.status(on_duty=()))
    says_asked(world, None)

    assert ("NOBODY ON DUTY", "Use radio or call 999") == world.screen.lines


def test_presser_is_not_told_that_nobody_is_on_duty_while_somebody_is_whom_the_policy_does_not_ask(
    world: World,
) -> None:
    world.do(world.status(on_duty=("cctv",)))
    says_asked(world, None)

    assert ("NOBODY TO ASK", "Use radio or call 999") == world.screen.lines


def test_next_step_replaces_the_one_before(world: World) -> None:
    says_asked(world, None)
    says_asked(world, "pcso", 3)
    says_asked(world, "co-ordinator", 4)

    assert "Asking Co-ordinator" == world.screen.lines[1]


def test_nobody_in_one_scheme_is_not_nobody_in_both(world: World) -> None:
    says_asked(world, None, 2, "pubwatch")
    assert "NOBODY TO ASK" == world.screen.lines[0]

    says_asked(world, "pcso", 3, "hart")

    assert ("by central system", "Asking PCSO on duty") == world.screen.lines


def test_central_that_asks_nobody_by_a_policy_leaves_it_as_before(world: World) -> None:
    says_asked(world, "pcso")
    world.do(world.says(OURS, 1, revision=3))

    assert "No one answered yet" == world.screen.lines[1]


def test_answer_takes_its_place(world: World) -> None:
    says_asked(world, None)
    world.do(world.says(OURS, 1, "answered", revision=3, answer=world.answer()))

    assert ("ANSWERED",) == world.screen.headline


def test_neighbour_who_comes_is_better_news(world: World) -> None:
    boots = MemberAnswer(node="00000011", premises="Boots", response="responding", at=world.wall())
    asked = Asked(role=None, since=world.wall())
    world.do(world.says(OURS, 1, revision=2, asked=asked, members=(boots,)))

    assert ("NOBODY TO ASK", "Boots coming") == world.screen.lines


@pytest.mark.parametrize("role", ["pcso", None])
def test_who_is_asked_is_not_said_in_an_outage(world: World, role: str | None) -> None:
    says_asked(world, role)
    world.do(LinkDown("gone"))
    world.after(38_000)

    assert "by central system" == world.screen.lines[0]
    assert world.screen.lines[1].startswith("No news for")
