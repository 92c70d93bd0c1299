"""HART with shops whose units have reported, and an office that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from pytest_django import Settings

from office.accounts.models import Account
from office.config import BackupTable
from tests.office.conftest import HART, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.exclusions.conftest import town as town  # noqa: PLC0414 - a fixture
from tests.support.shop_galleries import ShopGalleries
from wire.ids import NodeId

UNITS = NodeId(0x10), NodeId(0x11), NodeId(0x12), NodeId(0x13)
"""Of HART's four shops."""
PUBS_UNIT = NodeId(0x20)
"""Of Pub Watch alone."""


@pytest.fixture
def galleries(tmp_path: Path, settings: Settings) -> Iterator[ShopGalleries]:
    """Of an office whose machine port has been asked."""
    made = ShopGalleries(tmp_path / "office")
    settings.OFFICE = SimpleNamespace(
        nodes_file=made.config, snapshots_folder=made.snapshots, inter_font_dir=tmp_path / "none", backup=BackupTable()
    )
    yield made
    made.store.close()


@pytest.fixture
def fitted(galleries: ShopGalleries, town: Town) -> ShopGalleries:
    """A unit in each of HART's shops."""
    for node, shop in zip(UNITS, town.premises, strict=True):
        galleries.fit(node, shop.pk, HART)
    return galleries


@pytest.fixture
def cora(town: Town, signed_in: SignedIn) -> Client:
    """HART's co-ordinator."""
    return signed_in(town.cora)


@pytest.fixture
def otto(other_co_ordinator: Account, signed_in: SignedIn) -> Client:
    """Pub Watch's co-ordinator."""
    return signed_in(other_co_ordinator)


@pytest.fixture
def engineer(make_person: MakePerson, signed_in: SignedIn) -> Client:
    """HART's fleet engineer."""
    return signed_in(make_person("fay", ("fleet-engineer", HART)))
