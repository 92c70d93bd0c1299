"""The first page: what waits for a co-ordinator, what others find there, and nothing of another scheme."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from pytest_django import DjangoAssertNumQueries, Settings

from office.accounts import acts
from office.accounts.access import rights_of
from office.accounts.models import Account, Invitation, PrintedCode, Scheme
from office.audit.journal import record
from office.config import BackupTable
from office.escalation import policies
from office.escalation.rules import proposal
from office.exclusions.models import LawDocument
from office.members.facts import ContactFacts
from office.members.models import Member, PendingImport, Spokesperson
from office.people.models import RightsRequest
from office.start.facts import facts_of
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.members.conftest import MakePremises
from tests.office.members.test_listing import AUTHORITY, directory_bytes
from tests.support.shop_galleries import ShopGalleries
from wire.ids import NodeId

pytestmark = pytest.mark.django_db
HOLDER = ContactFacts(name="Sam", phone="0116 496 0034", is_key_holder=True)
CLEANER = ContactFacts(name="Kim", phone="0116 496 0035")
QUERIES = 31
"""Of the page of a co-ordinator, however large the town; six are of the session, the person and their rights."""


@pytest.fixture
def office(settings: Settings, tmp_path: Path) -> SimpleNamespace:
    """An office that knows a control room and a directory."""
    office = SimpleNamespace(
        snapshots_folder=tmp_path,
        inter_font_dir=tmp_path,
        central_url="http://central.example:8080",
        directory_file=tmp_path / "directory.json",
        authority=AUTHORITY.public,
        nodes_file=tmp_path / "office/nodes/nodes.toml",
        backup=BackupTable(),
    )
    settings.OFFICE = office
    return office


def fill(make_person: MakePerson, make_premises: MakePremises, scheme: int, mark: str) -> None:
    """Something of each kind that waits, of one scheme."""
    boss = make_person(f"{mark}boss", ("co-ordinator", scheme), name=f"{mark} Boss")
    make_person(f"{mark}new", ("pcso", scheme), name=f"{mark} New", has_second_factor=False)
    make_person(f"{mark}app", ("pcso", scheme), name=f"{mark} App")
    make_person(f"{mark}shop", ("members-contact", scheme), name=f"{mark} Owner")
    acts.invite(boss, name=f"{mark} Guest", email="", role="police", schemes=[Scheme.objects.get(pk=scheme)])
    make_premises(f"{mark} Inn", scheme, contacts=[CLEANER], member=f"{mark} Ltd")
    record(boss, "premises.imported", "a CSV file", schemes=[scheme])


def page_of(client: Client) -> str:
    answer = client.get("/")
    assert 200 == answer.status_code
    return answer.content.decode().split("<main", 1)[1]


def test_co_ordinator_sees_what_waits_and_where_to_go(
    co_ordinator: Account, make_person: MakePerson, make_premises: MakePremises, signed_in: SignedIn
) -> None:
    fill(make_person, make_premises, HART, "Hart")
    page = page_of(signed_in(co_ordinator))

    for what in (
        "You cannot enter the control room without the office",
        "1 person cannot sign in",
        "1 invitation has not been used",
        "Hart Guest: Police, since",
        "2 people cannot enter the control room without the office",
        "1 person has a single passkey or app",
        "1 premises has no key-holder",
        "1 premises does not say how to reach staff",
        "1 premises has no unit yet",
        "1 member has no contact",
        "by Hart Boss.",
    ):
        assert what in page
    for address in ("/people/", "/premises/?missing=key-holder", "/premises/?missing=staff", "/premises/?unit=none"):
        assert f'href="{address}"' in page
    assert 'href="/members/?missing=contact"' in page


def test_nothing_of_another_scheme_is_told(
    co_ordinator: Account, make_person: MakePerson, make_premises: MakePremises, signed_in: SignedIn
) -> None:
    make_person("second", ("co-ordinator", HART))
    fill(make_person, make_premises, PUB_WATCH, "Landlord")
    assert "There are no premises yet" in page_of(signed_in(co_ordinator))
    make_premises("Corner Shop", HART)
    page = page_of(signed_in(co_ordinator))

    assert "Landlord" not in page
    assert "Pub Watch" not in page
    assert "1 member has no contact" in page
    assert "invitation" not in page
    assert "None lately" in page


def test_roles_elsewhere_say_nothing_about_a_colleague(co_ordinator: Account, make_person: MakePerson) -> None:
    """That somebody enters the control room for Pub Watch is not HART's to know."""
    make_person("both", ("members-contact", HART), ("cctv", PUB_WATCH))
    facts = facts_of(co_ordinator, rights_of(co_ordinator), {HART: "HART"})

    assert {"Cora Hart": True, "Both": False} == {one.name: one.enters_control_room for one in facts.colleagues}


def test_questions_are_few_however_large_the_town(
    co_ordinator: Account,
    make_person: MakePerson,
    make_premises: MakePremises,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    browser = signed_in(co_ordinator)
    for number in range(3):
        fill(make_person, make_premises, HART, f"No{number}")
    browser.get("/")
    with django_assert_num_queries(QUERIES):
        browser.get("/")


def test_settled_town_leaves_nothing_to_do(
    office: SimpleNamespace,
    co_ordinator: Account,
    make_person: MakePerson,
    make_premises: MakePremises,
    signed_in: SignedIn,
) -> None:
    second = make_person("second", ("co-ordinator", HART))
    owner = make_person("owner", ("members-contact", HART))
    for account in (co_ordinator, second, owner):
        Authenticator.objects.create(user=account, type=Authenticator.Type.WEBAUTHN, data={"name": "Key"})
    shop = make_premises("Corner Shop", HART, contacts=[HOLDER], staff_contact="0116 496 0012")
    Spokesperson.objects.create(member=shop.member, scheme_id=HART, account=owner)
    office.directory_file.write_bytes(directory_bytes({16: shop.pk}))
    policies.make_policy(co_ordinator, shop.schemes.get(), proposal("hart", {}))
    page = page_of(signed_in(co_ordinator))

    assert "Nothing waits for you." in page

    office.directory_file.unlink()

    assert "Nobody knows which premises have a unit" in page_of(signed_in(co_ordinator))


def test_spokesperson_who_is_no_members_contact_any_more_does_not_count(
    co_ordinator: Account, make_person: MakePerson, make_premises: MakePremises, signed_in: SignedIn
) -> None:
    owner = make_person("owner", ("pcso", HART))
    shop = make_premises("Corner Shop", HART, member="Shops Ltd")
    make_premises("The Anchor", HART, PUB_WATCH, member="Anchor Ltd")
    Spokesperson.objects.create(member=shop.member, scheme_id=HART, account=owner)
    page = signed_in(co_ordinator).get("/members/?missing=contact").content.decode()

    assert "Shops Ltd" in page
    assert "Anchor Ltd" in page

    owner.grants.update(role="members-contact")
    anchor = Member.objects.get(name="Anchor Ltd")
    other = make_person("other", ("members-contact", PUB_WATCH), ("members-contact", HART))
    Spokesperson.objects.create(member=anchor, scheme_id=PUB_WATCH, account=other)
    page = signed_in(co_ordinator).get("/members/?missing=contact").content.decode()

    assert "Shops Ltd" not in page
    assert "Anchor Ltd" in page, "in this scheme nobody speaks for it"


@pytest.mark.parametrize(
    ("query", "names"),
    [("?missing=key-holder", ["B", "C"]), ("?missing=staff", ["A", "C"]), ("?missing=nonsense", ["A", "B", "C"])],
)
def test_premises_are_filtered_by_what_they_lack(
    co_ordinator: Account, make_premises: MakePremises, signed_in: SignedIn, query: str, names: list[str]
) -> None:
    make_premises("A", HART, contacts=[HOLDER, CLEANER])
    make_premises("B", HART, contacts=[CLEANER], staff_contact="0116 496 0012")
    make_premises("C", HART)
    answer = signed_in(co_ordinator).get(f"/premises/{query}")

    assert names == [row[0].name for row in answer.context["rows"]]


def test_invitation_that_is_over_does_not_wait(
    co_ordinator: Account, make_person: MakePerson, make_premises: MakePremises, signed_in: SignedIn
) -> None:
    fill(make_person, make_premises, HART, "Hart")
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert "has not been used" not in page_of(signed_in(co_ordinator))


def test_upload_waits_for_whoever_made_it_and_for_an_hour(
    co_ordinator: Account, other_co_ordinator: Account, signed_in: SignedIn
) -> None:
    PendingImport.objects.create(account=co_ordinator, token="abc", data=b"x")
    pages = [page_of(signed_in(account)) for account in (co_ordinator, other_co_ordinator)]
    PendingImport.objects.update(uploaded_at=timezone.now() - timedelta(minutes=61))

    assert [True, False] == ['href="/premises/import/abc/"' in page for page in pages]
    assert "You uploaded" not in page_of(signed_in(co_ordinator))


@pytest.mark.parametrize(
    ("role", "is_let_in"),
    [("cctv", True), ("fleet-engineer", True), ("co-ordinator", True), ("members-contact", False)],
)
def test_way_into_the_control_room_is_shown_to_whom_it_lets_in(
    office: SimpleNamespace, make_person: MakePerson, signed_in: SignedIn, role: str, *, is_let_in: bool
) -> None:
    page = page_of(signed_in(make_person("jo", (role, HART))))

    assert is_let_in == ('href="http://central.example:8080/"' in page)
    assert (role == "co-ordinator") == ("No list has been published yet" in page)


def test_co_ordinator_reads_when_the_newest_list_was_published(
    office: SimpleNamespace, co_ordinator: Account, signed_in: SignedIn
) -> None:
    newest = office.snapshots_folder / "people-7.json"
    newest.write_text("{}")
    at = timezone.localtime(datetime.fromtimestamp(newest.stat().st_mtime, tz=UTC))
    browser = signed_in(co_ordinator)

    assert f"Newest list: {at:%-d %b, %H:%M}" in page_of(browser)

    (office.snapshots_folder / "publishing-fault.txt").write_text("OSError: No space left on device")

    assert "NOT up to date" in page_of(browser)


def test_members_contact_finds_their_premises(
    make_person: MakePerson, make_premises: MakePremises, signed_in: SignedIn
) -> None:
    owner = make_person("owner", ("members-contact", HART))
    PrintedCode.objects.create(account=owner, digest="0" * 64)
    assert "Ask your co-ordinator" in page_of(signed_in(owner))
    for number in range(11):
        shop = make_premises(f"Shop {number:02}", HART, member="Shops Ltd", place="High St")
    make_premises("The Anchor", HART)
    Spokesperson.objects.create(member=shop.member, scheme_id=HART, account=owner)
    page = page_of(signed_in(owner))

    assert "Shop 09</a>, High St" in page
    assert "Shop 10" not in page
    assert "Show all" in page
    assert "Anchor" not in page
    assert "You have a single passkey or app" in page


def test_co_ordinator_is_reminded_of_who_waits_for_an_answer_and_of_reviews(
    co_ordinator: Account, other_co_ordinator: Account, signed_in: SignedIn
) -> None:
    """A month, or 30 days, and a year: nobody opens those pages by chance."""
    today = timezone.localdate()
    for due, kind in ((today - timedelta(days=1), "access"), (today, "complaint")):
        RightsRequest.objects.create(
            scheme_id=HART, kind=kind, asked_by="Jo Reed", received_on=today, due_on=due, recorded_by=co_ordinator
        )
    documents = ("sharing-agreement", 31), ("sharing-agreement", 30), ("privacy-notice", 0), ("privacy-notice", 31)
    for kind, days in documents:
        # The newest of a kind counts.
        LawDocument.objects.create(
            scheme_id=HART, kind=kind, version="1", recorded_on=today, recorded_by=co_ordinator,
            review_due=today + timedelta(days=days),
        )  # fmt: skip
    page = page_of(signed_in(co_ordinator))
    elsewhere = page_of(signed_in(other_co_ordinator))

    assert "2 people wait for your answer" in page
    assert f"LATE: was due on {date_format(today - timedelta(days=1), 'j M')}" in page
    assert "Jo Reed" not in page
    assert "1 document is to be reviewed" in page
    assert "Sharing agreement" in page
    for said in ("for your answer", "to be reviewed"):
        assert said not in elsewhere


def test_shops_whose_galleries_need_somebody_are_told_to_their_co_ordinator(
    office: SimpleNamespace, co_ordinator: Account, other_co_ordinator: Account, signed_in: SignedIn, tmp_path: Path
) -> None:
    galleries = ShopGalleries(tmp_path / "office")
    galleries.fit(NodeId(1), 0, HART, name="Corner Shop")
    galleries.fit(NodeId(2), 0, HART, name="Penny Books")
    galleries.say(NodeId(1), HART, galleries.publish(HART, {1: None}), int(timezone.now().timestamp()))
    galleries.publish(HART, {}, int(timezone.now().timestamp()) - 300)

    page = page_of(signed_in(co_ordinator))

    assert "1 unit may show somebody who must not be shown" in page
    assert "Corner Shop: HART: HAS NOT DELETED YET" in page
    assert "1 unit needs somebody for its gallery" in page
    assert "Penny Books: It has never asked for its gallery" in page
    assert "Corner Shop" not in page_of(signed_in(other_co_ordinator))
    galleries.store.close()
