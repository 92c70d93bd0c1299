"""Whom a new unit believes: dates count only if its clock is proven (docs/late-or-live.md)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import node.enrol.asking
from node.enrol.asking import ask
from node.enrol.keys import keys_in
from node.enrol.trouble import Trouble
from provisioning.certificates import issue_server_certificate
from tests.support.enrolling_town import FIRST, HOST, EnrollingTown
from tests.support.enrolment_thread import ServiceThread, service_thread
from wire.subjects import SERVICES

AGES = {"clock at 2040": timedelta(days=-14 * 365), "clock at 1970": timedelta(days=56 * 365)}
"""How far from now the service's certificate was made: as a unit sees it whose clock is that far off."""


@pytest.fixture(params=AGES)
def off(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServiceThread]:
    """A service whose dates are far from the unit's clock."""
    town = EnrollingTown.found(tmp_path / "town")
    made_at = datetime.now(UTC) + AGES[str(request.param)]
    issuer = town.fleet.issuer(SERVICES)
    town.fleet.layout.write_certificate(town.folder, "server", issue_server_certificate(issuer, [HOST], now=made_at))
    with service_thread(town) as running:
        yield running


def clock_is_proven(monkeypatch: pytest.MonkeyPatch, *, is_proven: bool) -> None:
    monkeypatch.setattr(node.enrol.asking, "is_synchronised", lambda *_: is_proven)


def test_unit_without_a_proven_clock_is_enrolled_all_the_same(
    off: ServiceThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_is_proven(monkeypatch, is_proven=False)

    assert f"{FIRST:08x}" == ask(off.town.seed(off.port), keys_in(tmp_path)).node


def test_proven_clock_is_believed(off: ServiceThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock_is_proven(monkeypatch, is_proven=True)

    with pytest.raises(Trouble, match=r"has expired|is not valid yet") as told:
        ask(off.town.seed(off.port), keys_in(tmp_path))
    assert not told.value.is_final
    assert [] == off.facts("enrolled")


def test_answer_in_a_form_that_nobody_reads_is_told(
    service: ServiceThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may answer this first question."""
    other_content = bytes.fromhex("300b06092a864886f70d010701")
    monkeypatch.setattr(node.enrol.asking, "_exchange", lambda *_: (200, base64.b64encode(other_content)))

    with pytest.raises(Trouble, match="something else than certificates"):
        ask(service.town.seed(service.port), keys_in(tmp_path))


def test_unit_without_a_clock_still_asks_whose_certificate_it_is(
    service: ServiceThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_is_proven(monkeypatch, is_proven=False)
    other = EnrollingTown.found(tmp_path / "other")
    (other.folder / "ca.pem").write_bytes((service.town.folder / "ca.pem").read_bytes())
    with service_thread(other) as wrong, pytest.raises(Trouble, match="from another CA"):
        ask(service.town.seed(wrong.port), keys_in(tmp_path))
