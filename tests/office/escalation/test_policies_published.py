"""Policies as central gets them: those that hold, and no row that would stop the rest (C3)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from office.accounts.models import Account, Scheme
from office.escalation.models import PolicyVersion
from office.escalation.policies import change_policy, end_policy, make_policy
from office.escalation.rules import Policy
from office.publisher import rota_content
from tests.office.conftest import HART, PUB_WATCH
from wire.snapshots import PolicyEntry, StepEntry

STEPS = (StepEntry(role="pcso", wait_s=30, ways=("push", "sms")), StepEntry(role="co-ordinator", wait_s=60))


def makes(actor: Account, scheme: Scheme, *kinds: str) -> PolicyVersion:
    return make_policy(actor, scheme, Policy(kinds, STEPS))


def published() -> Sequence[tuple[int, tuple[str, ...], int]]:
    return [(one.scheme, one.kinds, one.version) for one in rota_content.policies()]


def test_policies_that_hold_are_published_as_their_newest_versions(
    co_ordinator: Account, schemes: dict[int, Scheme]
) -> None:
    other = makes(co_ordinator, schemes[PUB_WATCH], "attack")
    attack, theft = (makes(co_ordinator, schemes[HART], kind) for kind in ("attack", "theft"))
    fault = makes(co_ordinator, schemes[HART], "fault")
    change_policy(co_ordinator, attack.policy, Policy(("attack", "assist"), STEPS[:1]), 1)
    end_policy(co_ordinator, theft.policy)

    assert published() == [
        (HART, ("attack", "assist"), 4),
        (HART, ("fault",), fault.number),
        (PUB_WATCH, ("attack",), other.number),
    ]
    assert rota_content.policies()[0].steps == STEPS[:1]
    assert rota_content.policies()[1].steps == STEPS


def test_more_policies_than_a_snapshot_holds_are_told(
    co_ordinator: Account,
    schemes: dict[int, Scheme],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of a database that was changed by hand: the office itself makes no such."""
    for scheme in (HART, PUB_WATCH):
        makes(co_ordinator, schemes[scheme], "attack")
    monkeypatch.setattr(rota_content, "POLICIES_MAX", 1)

    assert [HART] == [scheme for scheme, _, _ in published()]
    assert "there are 2 policies: the last 1 by scheme" in caplog.text


def test_nothing_is_published_until_a_policy_is_confirmed(co_ordinator: Account) -> None:
    assert rota_content.policies() == ()


@pytest.mark.parametrize(
    "broken",
    [{"steps": []}, {"steps": [{"role": "cleaner", "wait_s": 30}]}, {"kinds": []}, {"kinds": ["theft"]}, {"kinds": 7}],
    ids=["no steps", "no such role", "no kinds", "another's kind", "no list"],
)
def test_a_policy_that_no_reader_would_accept_is_left_out(
    co_ordinator: Account, schemes: dict[int, Scheme], broken: dict[str, object]
) -> None:
    """Somebody has changed the database by hand."""
    makes(co_ordinator, schemes[HART], "theft")
    attack = makes(co_ordinator, schemes[HART], "attack")
    PolicyVersion.objects.filter(pk=attack.pk).update(**broken)

    assert published() == [(HART, ("theft",), 1)]


def test_what_is_published_reads_as_what_was_saved(co_ordinator: Account, schemes: dict[int, Scheme]) -> None:
    makes(co_ordinator, schemes[HART], "attack")

    (entry,) = rota_content.policies()
    assert msgspec.json.decode(msgspec.json.encode(entry), type=PolicyEntry) == entry
