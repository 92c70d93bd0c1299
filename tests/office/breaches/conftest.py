"""Reports of shops, as they stand in the office's tables and in the port's file."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.utils import timezone

from office.accounts.models import Scheme
from office.breaches import copy_views, statement_views
from office.breaches.models import Breach
from office.exclusions.models import Case
from office.nodes.store import Store
from office.papers.orders import StatementPaper
from tests.office.exclusions.conftest import Town
from tests.support.asking_town import TOWN
from wire.gallery_reports import BreachReport
from wire.ids import NodeId

NODE = NodeId(0x10)
REPORTED_S = int(time.time()) - 3_600
"""An hour ago: a unit is told of an old one for a year at most."""


@pytest.fixture
def town(schemes: dict[int, Scheme]) -> Town:
    """HART with four members; cases come as far as a test wants."""
    return Town(schemes)


def breach_of(case: Case, /, **more: Any) -> Breach:  # noqa: ANN401 - of any column
    """Somebody did not leave a shop a minute ago."""
    at: datetime = timezone.now() - timedelta(minutes=1)
    fields: dict[str, Any] = {
        "report": f"{Breach.objects.count() + 1:032x}",
        "kind": "breach",
        "scheme": case.scheme,
        "case": case,
        "reference": case.individual.reference,
        "node": NODE,
        "place": "Corner Shop, High Street",
        "at": at,
        "is_time_proven": True,
        "left": "no",
        "received_at": at,
        "state_at": at,
    } | more
    premises = fields.get("premises")
    return Breach.objects.create(**({"member": premises and premises.member} | fields))


def report_of(case: Case, number: int = 1, /, **more: Any) -> BreachReport:  # noqa: ANN401 - of any field
    """As a unit sends it."""
    fields: dict[str, Any] = {
        "id": f"{number:032x}",
        "kind": "breach",
        "scheme": case.scheme_id,
        "case": case.number,
        "person": case.individual.number,
        "staff": 4_242,
        "at_s": REPORTED_S,
        "is_proven": True,
        "left": "no",
        "incident": "00000010-7",
    }
    return BreachReport(**(fields | more))


def kept_at_port(path: Path, *reports: BreachReport, premises: int = 0, node: NodeId = NODE) -> None:
    """The machine port has these, from a unit of these premises."""
    store = Store(path, TOWN)
    store.add_reports(node, premises, reports, REPORTED_S + 60)
    store.close()


def _orders(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> list[StatementPaper]:
    """Instead of a PDF."""
    orders: list[StatementPaper] = []

    def pdf_of(order: StatementPaper, _socket: object) -> bytes:
        orders.append(order)
        return b"%PDF-"

    monkeypatch.setattr(module, "pdf_of", pdf_of)
    return orders


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[StatementPaper]:
    """What would be drawn for whoever makes a statement."""
    return _orders(monkeypatch, statement_views)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[StatementPaper]:
    """What the shop's contact would be handed."""
    return _orders(monkeypatch, copy_views)
