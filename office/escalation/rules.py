"""What a policy may say, what is proposed to a scheme that has none, and what is odd about one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, get_args

from msgspec import Struct

from office.accounts.rules import TITLES
from wire.kinds import AlertKind
from wire.snapshots import STEP_S_MAX, STEP_S_MIN, AnsweringRole, StepEntry, Way

KIND_TITLES: Final[Mapping[str, str]] = {
    AlertKind.ATTACK.slug: "Attack",
    AlertKind.ASSIST.slug: "Assist",
    AlertKind.DISORDER.slug: "Disorder",
    AlertKind.THEFT.slug: "Theft in progress",
    AlertKind.SIGHTING.slug: "Sighting",
    AlertKind.BREACH.slug: "Breach",
    AlertKind.CALL_REQUEST.slug: "Call request",
    AlertKind.TAMPER.slug: "Tampering",
    AlertKind.POWER.slug: "Power",
    AlertKind.FAULT.slug: "Fault",
}
"""Kinds of alert about which somebody may be asked, the most urgent first. Watchlink itself answers a test."""
WAY_TITLES: Final[Mapping[Way, str]] = {
    "push": "push to their phone",
    "sms": "text message",
    "email": "e-mail",
}
ROLES: Final[tuple[AnsweringRole, ...]] = get_args(AnsweringRole)
PROPOSED_KINDS: Final = (AlertKind.ATTACK.slug, AlertKind.ASSIST.slug)

NO_STEPS: Final = "Choose a role in at least one step: without a step nobody is asked."
NO_KINDS: Final = "Choose at least one kind of alert."
WAIT_OUT_OF_RANGE: Final = f"Enter how long they are asked, from {STEP_S_MIN} to {STEP_S_MAX:,} seconds."
NO_ROLE: Final = "Choose who is asked in this step, or clear its seconds and ways to leave it out."


class Policy(Struct, frozen=True):
    """What a version of a policy says.

    Attributes:
        kinds: of alert, in the order of :data:`KIND_TITLES`.
        steps: in the order in which they are asked.
    """

    kinds: tuple[str, ...]
    steps: tuple[StepEntry, ...]

    @property
    def round_s(self) -> int:
        """So long a round lasts in which every step has somebody."""
        return sum(step.wait_s for step in self.steps)


def kinds_text(kinds: Iterable[str]) -> str:
    """``("attack", "assist")`` → ``"Attack, Assist"``."""
    return ", ".join(KIND_TITLES.get(kind, kind) for kind in kinds)


def ways_text(ways: Sequence[Way]) -> str:
    """``("push", "sms")`` → ``"open pages, push to their phone and text message"``."""
    words = ["open pages", *(WAY_TITLES[way] for way in ways)]
    return words[0] + " only" if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def wait_text(seconds: int) -> str:
    """``90`` → ``"1 min 30 s"``."""
    minutes, rest = divmod(seconds, 60)
    return " ".join(part for part in (f"{minutes} min" if minutes else "", f"{rest} s" if rest else "") if part)


def sorted_kinds(kinds: Collection[str]) -> tuple[str, ...]:
    """In the order of :data:`KIND_TITLES`."""
    return tuple(kind for kind in KIND_TITLES if kind in kinds)


def why_not(scheme: str, policy: Policy, others: Iterable[Policy]) -> str | None:
    """Why a scheme cannot have a policy, and what to do; ``None`` = it can.

    Args:
        scheme: its name.
        policy: what is wanted.
        others: what the scheme's other policies say now.
    """
    if not policy.kinds:
        return NO_KINDS
    if not policy.steps:
        return NO_STEPS
    taken = {kind for other in others for kind in other.kinds}
    twice = [kind for kind in policy.kinds if kind in taken]
    if twice:
        return f"Another policy of {scheme} is for {kinds_text(twice)}: take it out there first, or leave it out here."
    return None


def duty_role(slug: str, roles: Mapping[str, int]) -> AnsweringRole:
    """Which of the two leads on duty in a scheme: HART has a duty sergeant, Pub Watch a duty officer.

    Args:
        slug: of the scheme; it decides where people do not.
        roles: how many people have which role there.
    """
    has_sergeant, has_officer = bool(roles.get("duty-sergeant")), bool(roles.get("duty-officer"))
    if has_sergeant == has_officer:
        return "duty-officer" if slug.startswith("pub") else "duty-sergeant"
    return "duty-officer" if has_officer else "duty-sergeant"


def proposal(slug: str, roles: Mapping[str, int]) -> Policy:
    """What is put before the co-ordinator of a scheme that has no policy. Nothing of it holds until they confirm it.

    Args:
        slug: of the scheme.
        roles: how many people have which role there.
    """
    ways: tuple[Way, ...] = ("push", "sms")
    return Policy(
        PROPOSED_KINDS,
        (
            StepEntry(role="pcso", wait_s=30, ways=ways),
            StepEntry(role=duty_role(slug, roles), wait_s=30, ways=ways),
            StepEntry(role="co-ordinator", wait_s=60, ways=ways),
        ),
    )


def warnings(
    scheme: str, policy: Policy, roles: Mapping[str, int], reached: Collection[tuple[str, str]]
) -> Iterator[str]:
    """What is odd about a policy that holds, in sentences. People may come, so nothing of it is refused.

    Args:
        scheme: its name.
        policy: what it says.
        roles: how many people have which role there.
        reached: (role, way) of which somebody there can be reached. Who has push, central alone knows.
    """
    nobody = [role for role in dict.fromkeys(step.role for step in policy.steps) if not roles.get(role)]
    if len(nobody) == len({step.role for step in policy.steps}):
        yield f"Nobody in {scheme} has any of these roles, so nobody is asked. Give somebody one, or change the steps."
        return
    for role in nobody:
        yield f"Nobody in {scheme} is {TITLES[role]}: that step is skipped. Give somebody the role, or take it out."
    wanted = dict.fromkeys((step.role, way) for step in policy.steps for way in step.ways if way != "push")
    for role, way in wanted:
        if role not in nobody and (role, way) not in reached:
            yield (
                f"Nobody in {scheme} who is {TITLES[role]} can be reached by {WAY_TITLES[way]}: ask them to say under"
                " “Your account” how."
            )


def without_policy(policies: Iterable[Policy]) -> tuple[str, ...]:
    """Kinds about which nobody is asked in a scheme with these policies: open pages alone show them."""
    covered = {kind for policy in policies for kind in policy.kinds}
    return tuple(kind for kind in KIND_TITLES if kind not in covered)
