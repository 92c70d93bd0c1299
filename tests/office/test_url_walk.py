"""Every address of the office, asked by every role in its own and in the other scheme, against docs/who-may-what.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple, get_args

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from office.accounts import links
from office.accounts.models import Account, Invitation, Notice, OfficeSession, RecoveryLink, Scheme
from office.audit.journal import record
from office.audit.models import AuditRow
from office.members.models import Member, Membership, PendingImport, Premises, Spokesperson
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from wire.snapshots import RoleSlug

pytestmark = pytest.mark.long

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "who-may-what.md"
ROLES: Final[tuple[RoleSlug, ...]] = get_args(RoleSlug)
MARKS: Final = {HART: "Quagga", PUB_WATCH: "Zebra"}
"""In the names of all that is of one scheme alone."""
SIGNED_OUT: Final = "Signed out"
PEOPLE: Final = (*((role, scheme) for scheme in (HART, PUB_WATCH) for role in ROLES), None)
POSTED: Final[Mapping[str, Mapping[str, object]]] = {
    "correct_person": {"name": "Stolen"},
    "give_role": {"role": "pcso", "scheme": HART},
    "remove_role": {"role": "cctv", "scheme": HART},
    "premises-edit": {"name": "Stolen"},
    "member-edit": {"name": "Stolen"},
}
"""What is posted, where an empty form would not get as far as the check of rights."""


UPLOADED: Final = b"Name,Member\nA,M\n"
OF_WHOEVER_HAS_THE_LINK: Final = {"join", "recover"}


class Line(NamedTuple):
    """A line of the table."""

    methods: frozenset[str]
    outcomes: dict[str, str]
    asks_again: bool


class Town(NamedTuple):
    """What of HART there is to ask for.

    Attributes:
        arguments: words in addresses, by the name of the address or by its first word.
        target: whose the personal things among them are.
    """

    arguments: Mapping[str, Mapping[str, object]]
    target: Account


def table() -> dict[str, Line]:
    """Lines of the document by address."""
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    head = next(row for row in rows if row[0] == "Address")
    return {
        row[0]: Line(frozenset(row[1].split()), dict(zip(head[2:-1], row[2:-1], strict=True)), row[-1] == "yes")
        for row in rows
        if row[0].startswith("/")
    }


def routes() -> dict[str, str]:
    """Names of all addresses, by address as the document writes it."""

    def walk(resolver: URLResolver, prefix: str, space: str) -> Iterator[tuple[str, str]]:
        for one in resolver.url_patterns:
            route = prefix + str(one.pattern)
            if isinstance(one, URLPattern):
                yield re.sub(r"<(?:\w+:)?(\w+)>", lambda found: found[1].upper(), "/" + route), f"{space}{one.name}"
            else:
                yield from walk(one, route, f"{one.namespace}:" if one.namespace else space)

    return dict(walk(get_resolver(), "", ""))


def column(person: tuple[RoleSlug, int] | None) -> str:
    """Which column of the table is about a person, when what is asked for is of HART."""
    if person is None:
        return SIGNED_OUT
    role, scheme = person
    if role == "co-ordinator":
        return "Co-ordinator" if scheme == HART else "Co-ordinator elsewhere"
    if role == "members-contact":
        return "Member’s contact" if scheme == HART else "Member’s contact elsewhere"
    return "Other roles"


def outcome(answer: HttpResponseBase, *, is_signed_in: bool) -> str:
    """As the table says it."""
    to = answer.headers.get("Location", "")
    if to.startswith("/sign-in/?next=") or (to == "/sign-in/" and not is_signed_in):
        return "sign in"
    return "yes" if answer.status_code in {200, 302, 400, 409} else str(answer.status_code)


@pytest.fixture
def town(schemes: dict[int, Scheme], make_person: MakePerson) -> Town:
    """A premises, a member, people and so on in each scheme, with the mark of the scheme in every name."""
    in_pub_watch, in_hart = (_things(schemes[number], make_person) for number in (PUB_WATCH, HART))
    assert in_pub_watch.arguments.keys() == in_hart.arguments.keys()
    return in_hart


def _things(scheme: Scheme, make_person: MakePerson) -> Town:
    mark, now, today = MARKS[scheme.number], timezone.now(), timezone.localdate()
    target = make_person(f"target{scheme.number}", ("cctv", scheme.number), name=f"{mark} Person")
    inviter = make_person(f"inviter{scheme.number}", ("co-ordinator", scheme.number), name=f"{mark} Inviter")
    member, former = Member.objects.create(name=f"{mark} Ltd"), Member.objects.create(name=f"{mark} former Ltd")
    Membership.objects.create(member=member, scheme=scheme, joined_on=today)
    Membership.objects.create(member=former, scheme=scheme, joined_on=today, ended_on=today)
    premises = Premises.objects.create(member=member, name=f"{mark} Inn", search_text=f"{mark} inn".lower())
    premises.schemes.set([scheme])
    invitation = Invitation.objects.create(
        digest=links.digest_of(f"{mark}-invitation"),
        name=f"{mark} Guest",
        role="pcso",
        invited_by=inviter,
        expires_at=now + timedelta(1),
    )
    invitation.schemes.set([scheme])
    RecoveryLink.objects.create(
        digest=links.digest_of(f"{mark}-recovery"),
        account=target,
        generation=target.generation,
        sets_password=True,
        expires_at=now + timedelta(1),
    )
    passkey = Authenticator.objects.create(user=target, type=Authenticator.Type.WEBAUTHN, data={"name": mark})
    notice = Notice.objects.create(account=target, text=f"{mark} notice")
    session = OfficeSession.objects.create(public_id=f"{scheme.number:032x}", account=target, generation=1)
    PendingImport.objects.create(account=inviter, token=f"{mark}token", data=UPLOADED)
    record(None, "premises.added", premises, schemes=[scheme.number])
    arguments: dict[str, dict[str, object]] = {
        "premises": {"number": premises.pk},
        "members": {"number": member.pk},
        "people": {"number": target.pk},
        "membership-end": {"number": member.pk, "scheme": scheme.slug},
        "membership-delete": {"number": former.pk, "scheme": scheme.slug},
        "cancel_invitation": {"number": invitation.pk},
        "read_notice": {"number": notice.pk},
        "join": {"token": f"{mark}-invitation"},
        "recover": {"token": f"{mark}-recovery"},
        "end_session": {"public_id": session.public_id},
        "premises-import-preview": {"token": f"{mark}token"},
        "mfa_remove_webauthn": {"pk": passkey.pk},
    }
    return Town(arguments, target)


def browser_of(
    person: tuple[RoleSlug, int] | None, make_person: MakePerson, signed_in: SignedIn, *, factor_age_s: float = 0.0
) -> Client:
    """Of a person who speaks for all members, if they are a member's contact; of a co-ordinator with an upload."""
    if person is None:
        return Client()
    account = make_person("walker", person)
    RecoveryCodes.activate(account)
    if person[0] == "members-contact":
        Spokesperson.objects.bulk_create(
            Spokesperson(member=one.member, scheme=one.scheme, account=account) for one in Membership.objects.all()
        )
    if person == ("co-ordinator", HART):
        PendingImport.objects.filter(token=f"{MARKS[HART]}token").update(account=account)
    return signed_in(account, second_factor_age_s=factor_age_s)


def filled(address: str, name: str, town: Town) -> str:
    """The address, with what of HART it asks for."""
    found = town.arguments.get(name) or town.arguments.get(address.split("/")[1], {})
    return re.sub(r"[A-Z_]{2,}", lambda word: str(found[word[0].lower()]), address)


def ask(browser: Client, method: str, address: str, name: str) -> tuple[HttpResponseBase, int]:
    """Ask, and undo whatever it did; the answer, and how many rows the audit has gained."""
    with transaction.atomic():
        cookies, rows = deepcopy(browser.cookies), AuditRow.objects.count()
        answer = browser.get(address) if method == "GET" else browser.post(address, POSTED.get(name, {}))
        gained = AuditRow.objects.count() - rows
        browser.cookies = cookies
        transaction.set_rollback(True)
    return answer, gained


def test_every_address_stands_in_the_table() -> None:
    assert sorted(table()) == sorted(routes())


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: "-".join(map(str, person or ("nobody",))))
def test_every_role_may_what_the_table_says(
    person: tuple[RoleSlug, int] | None, town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    browser, lines = browser_of(person, make_person, signed_in), table()
    wrong: list[str] = []
    for address, name in routes().items():
        for method in ("GET", "POST"):
            answer, gained = ask(browser, method, filled(address, name, town), name)
            said, line = outcome(answer, is_signed_in=person is not None), lines[address]
            may = {line.outcomes[column(person)]} if method in line.methods else {"404", "405", "sign in"}
            if said not in may:
                wrong.append(f"{method} {address}: {said}, not {' or '.join(sorted(may))}")
            if gained and said != "yes":
                wrong.append(f"{method} {address}: {said}, yet something was done")
            shown = b"".join(answer) if hasattr(answer, "__iter__") else b""
            hidden = MARKS[PUB_WATCH] if person is None or person[1] == HART else MARKS[HART]
            if hidden.encode() in shown and name not in OF_WHOEVER_HAS_THE_LINK:
                wrong.append(f"{method} {address}: shows what is of the other scheme")

    assert wrong == []


def test_a_second_factor_is_asked_for_again_where_the_table_says(
    town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    browser, lines = browser_of(("co-ordinator", HART), make_person, signed_in, factor_age_s=400), table()
    asked = set()
    for address, name in routes().items():
        for method in sorted(lines[address].methods):
            answer, gained = ask(browser, method, filled(address, name, town), name)
            if answer.headers.get("Location", "").startswith("/again/") and not address.startswith("/again/"):
                asked.add(address)
                assert gained == 0

    assert asked == {address for address, line in lines.items() if line.asks_again}


def test_what_is_personal_stays_another_persons(town: Town, make_person: MakePerson, signed_in: SignedIn) -> None:
    browser = browser_of(("co-ordinator", HART), make_person, signed_in)
    for name in ("read_notice", "end_session", "mfa_remove_webauthn"):
        address = next(address for address, its in routes().items() if its == name)
        browser.post(filled(address, name, town))

    assert town.target.notices.filter(read_at=None).exists()
    assert OfficeSession.objects.filter(account=town.target, ended_at=None).exists()
    assert Authenticator.objects.filter(user=town.target, type=Authenticator.Type.WEBAUTHN).exists()
