from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from office.accounts.models import Account, Scheme
from office.members import premises_views
from office.members.models import Member, Premises
from office.members.units import units_in
from tests.office.conftest import HART, PUB_WATCH, SignedIn
from tests.office.members.conftest import MakePremises
from wire.directory import DirectoryDocument, SenderEntry, seal_directory
from wire.ids import NodeId, node_text
from wire.signing import SigningKey

AUTHORITY = SigningKey(bytes(32))
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def directory_bytes(units: Mapping[int, int], revoked: Mapping[int, int] = MappingProxyType({})) -> bytes:
    """A directory whose nodes stand at these premises of the office."""
    senders = tuple(
        SenderEntry(
            node=node_text(NodeId(node)),
            key=SigningKey(node.to_bytes(32)).public.raw,
            premises=f"Premises {premises}",
            office_premises=premises,
            revoked_at=NOW if node in revoked else None,
        )
        for node, premises in {**units, **revoked}.items()
    )
    return seal_directory(DirectoryDocument(serial=1, issued_at=NOW, schemes=(), senders=senders), AUTHORITY)


@pytest.fixture
def browser(signed_in: SignedIn, co_ordinator: Account) -> Client:
    """Of a co-ordinator of HART only."""
    return signed_in(co_ordinator)


def fill(scheme: Scheme, count: int) -> None:
    member = Member.objects.create(name="Shops Ltd")
    made = Premises.objects.bulk_create(
        Premises(member=member, name=f"Shop {n:04}", search_text=f"shop {n:04} shops ltd") for n in range(count)
    )
    through = Premises.schemes.through
    through.objects.bulk_create(through(premises=one, scheme=scheme) for one in made)


def test_a_list_asks_the_same_few_questions_however_long_it_is(
    browser: Client, schemes: dict[int, Scheme], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    fill(schemes[HART], 500)
    browser.get("/premises/")
    with django_assert_max_num_queries(14):
        page = browser.get("/premises/?q=shop&scheme=hart&page=2").content.decode()

    assert "500 premises, page 2 of 10" in page
    assert page.count("data-list-row") == 50
    assert "?q=shop&amp;scheme=hart&amp;page=3" in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=CAFE", ["Café"]),
        ("q=high+caf", ["Café"]),
        ("q=patel", []),
        ("q=100%25", []),
        ("q=%00", ["Bar", "Café"]),
        ("scheme=pubwatch", []),
        ("scheme=nonsense", []),
        ("unit=nonsense&page=nonsense", ["Bar", "Café"]),
        ("page=99", ["Bar", "Café"]),
    ],
)
def test_a_list_is_searched_and_filtered_by_its_address(
    browser: Client, make_premises: MakePremises, query: str, names: list[str]
) -> None:
    make_premises("Café", HART, place="High Street")
    make_premises("Bar", HART, PUB_WATCH)
    make_premises("Lion", PUB_WATCH)
    answer = browser.get(f"/premises/?{query}")

    assert [one.name for one, *_ in answer.context["rows"]] == names


def test_the_list_tells_which_premises_have_a_unit(
    browser: Client, make_premises: MakePremises, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, none = make_premises("A", HART), make_premises("B", HART)
    file = tmp_path / "directory.json"
    file.write_bytes(directory_bytes({0x10: fitted.pk}, revoked={0x11: none.pk}))
    monkeypatch.setattr(premises_views, "units", lambda: units_in(file, AUTHORITY.public))

    assert [one.name for one, *_ in browser.get("/premises/?unit=fitted").context["rows"]] == ["A"]
    assert [one.name for one, *_ in browser.get("/premises/?unit=none").context["rows"]] == ["B"]
    page = browser.get("/premises/").content.decode()
    assert "00000010" in page
    assert page.count("no unit yet") == 1

    file.write_bytes(b"{}")
    page = browser.get("/premises/").content.decode()
    assert "does not know which premises have a unit" in page
    assert "no unit yet" not in page


def test_units_are_read_again_when_the_directory_changes(tmp_path: Path) -> None:
    file = tmp_path / "directory.json"
    assert units_in(file, AUTHORITY.public) is None
    file.write_bytes(directory_bytes({0x10: 1}))
    assert units_in(file, AUTHORITY.public) == {1: ("00000010",)}
    file.write_bytes(directory_bytes({0x10: 1, 0x12: 1, 0x13: 2}))
    assert units_in(file, AUTHORITY.public) == {1: ("00000010", "00000012"), 2: ("00000013",)}
