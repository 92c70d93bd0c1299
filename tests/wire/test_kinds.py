from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from wire.kinds import (
    MEMBERS_WARNED,
    PRIORITY,
    AlertKind,
    AnswerState,
    CancelReason,
    Capability,
    CentralCapability,
    FrameKind,
    MemberResponse,
    Numbered,
    Priority,
    RefusalReason,
    Role,
)
from wire.messages import IncidentState, MemberAnswer

# Numbers travel in signed frames and rest in outboxes: a change here is a change of the contract's version.
FROZEN: dict[type[Numbered], dict[str, int]] = {
    FrameKind: {
        "alert": 1,
        "cancel": 2,
        "receipt": 3,
        "acknowledgement": 4,
        "path-test": 5,
        "response": 6,
        "receipt-batch": 7,
        "digest-receipt": 8,
        "digest-receipt-batch": 9,
        "refusal": 10,
        "automatic-acknowledgement": 11,
        "press-acknowledgement": 12,
    },
    AlertKind: {
        "attack": 1,
        "assist": 2,
        "theft": 3,
        "sighting": 4,
        "disorder": 5,
        "breach": 6,
        "call-request": 7,
        "test": 8,
        "tamper": 9,
        "power": 10,
        "fault": 11,
    },
    Role: {"co-ordinator": 1, "cctv": 2, "pcso": 3, "duty-sergeant": 4, "duty-officer": 5, "police": 6},
    RefusalReason: {"id-conflict": 1, "foreign-incident": 2},
    CancelReason: {"mistake": 1, "stand-down": 2},
    MemberResponse: {"seen": 1, "responding": 2},
    AnswerState: {"answered": 1, "on-the-way": 2, "closed": 3, "unanswered": 4},
}


@pytest.mark.parametrize("kind", FROZEN)
def test_numbers_and_names_never_change(kind: type[Numbered]) -> None:
    assert FROZEN[kind] == {member.slug: int(member) for member in kind}


@pytest.mark.parametrize("kind", FROZEN)
def test_by_slug_finds_each_member_and_nothing_else(kind: type[Numbered]) -> None:
    assert list(kind) == [kind.by_slug(member.slug) for member in kind]
    assert [None] * 3 == [kind.by_slug(slug) for slug in ("", "later", next(iter(kind)).name)]


def test_every_alert_kind_has_a_priority() -> None:
    """Attack is alone on top; faults never compete with people (N7)."""
    assert set(AlertKind) == set(PRIORITY)
    assert [AlertKind.ATTACK] == [kind for kind, priority in PRIORITY.items() if priority is Priority.P1]
    assert {Priority.P1, Priority.P2, Priority.P3} >= {PRIORITY[kind] for kind in MEMBERS_WARNED}


def test_members_are_warned_of_what_concerns_them() -> None:
    """N5: attack, assist and sighting at least; never a test, a fault, or a request to be called."""
    assert {AlertKind.ATTACK, AlertKind.ASSIST, AlertKind.SIGHTING} <= MEMBERS_WARNED
    assert not MEMBERS_WARNED & {AlertKind.TEST, AlertKind.TAMPER, AlertKind.POWER, AlertKind.FAULT}
    assert AlertKind.CALL_REQUEST not in MEMBERS_WARNED


def test_roles_are_short_enough_for_the_panel_and_distinct() -> None:
    assert max(len(role.short) for role in Role) <= 6
    assert len(Role) == len({role.short for role in Role}) == len({role.title for role in Role})


def test_json_words_are_the_vocabularys_names() -> None:
    """The literals in messages and the names in :mod:`wire.kinds` are one vocabulary."""
    incident, answer = get_type_hints(IncidentState), get_type_hints(MemberAnswer)

    assert {state.slug for state in AnswerState} == set(get_args(incident["state"]))
    assert {response.slug for response in MemberResponse} == set(get_args(answer["response"]))
    assert {reason.slug for reason in CancelReason} == set(get_args(get_args(incident["cancelled"])[0]))


def test_capabilities_names_never_change() -> None:
    """They rest in the health of nodes that are not upgraded."""
    assert ["digest-receipt", "refusal", "automatic", "settings", "press"] == [str(one) for one in Capability]
    assert ["person"] == [str(capability) for capability in CentralCapability]


def test_numbers_of_priorities_never_change() -> None:
    """Each node's disk has them beside the alerts that its panel has shown."""
    assert {"P1": 1, "P2": 2, "P3": 3, "P4": 4, "TEST": 5} == {priority.name: int(priority) for priority in Priority}


def test_what_a_unit_says_of_itself_is_the_least_urgent() -> None:
    assert {Priority.P4} == {PRIORITY[kind] for kind in (AlertKind.TAMPER, AlertKind.POWER, AlertKind.FAULT)}
    assert max(priority for priority in Priority if priority is not Priority.TEST) is Priority.P4
