"""The simulated towns notice an alert about which nobody is asked, a step that never ends, and a second call (C3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from central.core import effects as do
from central.core.asking import Stands
from central.core.contacts import Contacts
from central.core.escalation import Escalation
from sim.campaign import has_policies, run

SEEDS = tuple(seed for seed in range(1, 60) if has_policies(seed))


def first_broken() -> str:
    return next((broken for seed in SEEDS if (broken := run(seed).broken)), "")


def test_alert_about_which_nobody_is_asked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Escalation, "entries", lambda *_: ())

    assert first_broken().startswith("I32")


def test_step_that_never_ends_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stands, "is_over", lambda self, *_: self.is_nobody)

    assert first_broken().startswith("I33")


def test_step_that_is_asked_twice_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    orders: Callable[..., list[do.Effect]] = Escalation.orders
    monkeypatch.setattr(Escalation, "orders", lambda *given: 2 * orders(*given))

    assert first_broken().startswith("I34")


def test_silent_alert_that_a_members_contact_is_told_of_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """C8: the phone buzzes in the shop."""
    alerts: Callable[..., Iterator[do.Tell]] = Contacts._alerts
    monkeypatch.setattr(Contacts, "_alerts", lambda self, them, _silent, *given: alerts(self, them, set(), *given))

    assert first_broken().startswith("I35")
