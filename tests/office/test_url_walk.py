"""Every address of the office, asked by every role in its own and in the other scheme, against docs/who-may-what.md."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import product
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Final, NamedTuple, get_args

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from office.accounts import second_factor
from office.accounts.models import Account, OfficeSession, Scheme
from office.audit.models import AuditRow
from office.exclusions.models import Case
from office.exclusions.rules.reach import READERS
from office.exclusions.rules.votes import ADVISERS
from office.members.models import Membership, PendingImport, Spokesperson
from office.rota.models import RotaCover, RotaPattern
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.walked_town import MARKS, Things, Town, shared_things, things_of
from tests.support.postgresql import VARIABLE
from tests.support.shop_galleries import ShopGalleries
from tests.support.view_log import logged
from wire.gallery_views import ViewHead
from wire.ids import NodeId
from wire.snapshots import AnsweringRole, RoleSlug

pytestmark = pytest.mark.long

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "who-may-what.md"
Person = tuple[RoleSlug, int] | None
"""Of whoever asks: role and scheme; ``None`` = signed out."""
ROLES: Final[tuple[RoleSlug, ...]] = get_args(RoleSlug)
SIGNED_OUT: Final = "Signed out"
EVERYBODY: Final = (*((role, scheme) for scheme in (HART, PUB_WATCH) for role in ROLES), None)
FEW: Final[tuple[Person, ...]] = (("co-ordinator", HART), ("members-contact", HART), ("pcso", HART), None)
"""For these the office sends its database every statement that it sends for anybody: 315, counted in November 2026."""
PEOPLE: Final = FEW if VARIABLE in os.environ else EVERYBODY
"""Who may what is Python's to say, not the database's; PostgreSQL is asked each question once."""
STATUSES: Final[Mapping[str, int]] = {
    "GET account_login": 302,  # to the first page: one is signed in
    "GET mfa_authenticate": 302,
    "GET mfa_login_webauthn": 302,
    "GET mfa_reauthenticate_webauthn": 302,  # the walkers have no passkey
    "GET second_factor": 302,
    "GET notice-pdf": 503,  # the program that makes PDFs does not run in tests
    "GET meeting-pdf": 503,
    "GET rights-export-pdf": 503,
    "GET mfa_activate_totp": 302,  # they have an app
    "POST mfa_reauthenticate": 200,  # what is sent empty comes back with its errors
    "POST change_password": 200,
    "POST mfa_deactivate_totp": 200,
    "POST mfa_add_webauthn": 200,
    "POST recover": 200,
    "POST invite": 200,
    "POST request-add": 400,
    "POST premises-add": 400,
    "POST premises-import": 400,
    "POST photograph-add": 400,
    "POST premises-import-preview": 409,  # nothing was confirmed
    "POST staff-add": 200,  # shows the start code, as does the next
    "POST staff-start-code": 200,
    "POST printed_codes": 200,  # shows what was made
    "POST lost_phone": 200,
    "POST nominate": 400,
    "POST breach-statement": 400,
    "POST incident": 400,
    "GET statement-copy": 503,
    "POST vote-cast": 400,
    "POST rota-override-add": 400,
    "POST rota-swap-ask": 400,
    "POST rota-calendar-new": 200,  # shows the address
    **{f"POST case-{name}": 400 for name in ("check", "open-vote", "issue", "serve", "correct", "shorten")},
    **{f"POST case-{name}": 409 for name in ("stop-vote", "approve-minor", "reissue", "appeal", "dismiss-appeal")},
    **{f"POST case-{name}": 409 for name in ("lift-restriction", "revoke")},
}
"""What people who may are answered, where it is not 200 (GET) or 302 (POST)."""
STATUSES_SIGNED_OUT: Final[Mapping[str, int]] = {
    "GET account_login": 200,
    "POST account_login": 200,
    "GET account_logout": 302,
    "POST join": 200,
}
DOING: Final = {
    *("mfa_generate_recovery_codes", "printed_codes", "sign_out_everywhere"),
    *("cancel_invitation", "correct_person", "give_role", "remove_role", "end_account", "lost_phone"),
    *("case-withdraw", "case-restrict", "hands"),
    *("premises-edit", "premises-remove", "member-add", "member-edit", "membership-end", "membership-delete"),
    *("staff-add", "staff-correct", "staff-start-code", "staff-take-off"),
    *("terms-edit", "document-record"),
    *("policy-add", "policy-edit", "policy-end"),
    *("photograph", "photograph-show", "photograph-remove"),
    *("breach-act", "card-broken"),
    *("rota-pattern-add", "rota-pattern-edit", "rota-pattern-remove", "rota-override-remove"),
    *("rota-cover-add", "rota-cover-edit", "rota-cover-remove", "rota-calendar-new"),
    *("request-acknowledge", "request-settle", "request-find", "person-correct", "person-erase"),
}
"""What, posted by who may, is done: so a refusal elsewhere is one of rights, not of what was typed."""
OF_ALL_THEIR_SCHEMES: Final = {"correct_person", "end_account", "lost_phone"}
"""What a co-ordinator of only one scheme of a person is refused, with a sentence."""


def posted(name: str, scheme: int, things: Things) -> dict[str, object]:
    """What somebody of a scheme posts about one of the things; empty where that gets as far as the rights."""
    joined = {f"joined-{HART}": "2026-01-05", f"joined-{PUB_WATCH}": "2026-01-05"}
    contacts = {"contacts-TOTAL_FORMS": 0, "contacts-INITIAL_FORMS": 0}
    about: dict[str, object] = {"individual": things.individual, "version": 1} if name.startswith("person-") else {}
    hours = {"weekdays": ["0"], "every_weeks": 1, "begins": "08:00", "hours": 1, "first": "2026-01-05"}
    pattern = {**hours, "turn": "week", "person_0": things.target.pk}
    tables = {"rota-pattern-edit": RotaPattern.objects, "rota-cover-edit": RotaCover.objects}
    if name in tables and (row := tables[name].filter(pk=things.arguments.get(name, {}).get("number")).first()):
        # As whoever changes it has seen it.
        hours["seen"] = pattern["seen"] = row.mark
    sent: Mapping[str, dict[str, object]] = {
        "rota-pattern-add": pattern,
        "rota-pattern-edit": pattern,
        "rota-cover-add": hours,
        "rota-cover-edit": hours,
        "correct_person": {"name": "Stolen"},
        "give_role": {"role": "pcso", "scheme": scheme},
        "remove_role": {"role": "cctv", "scheme": scheme},
        "member-add": {"name": "Stolen", "version": 1, **joined},
        "member-edit": {"name": "Stolen", "version": 1, **joined},
        "premises-edit": {"name": "Stolen", "member": things.member, "schemes": [scheme], "version": 1, **contacts},
        "staff-add": {"name": "Stolen"},
        "staff-correct": {"name": "Stolen"},
        "terms-edit": {"paper_title": "Stolen", "quorum": 1, "majority_percent": 50},
        "policy-add": {"kinds": ["theft"], "role-1": "cctv", "wait-1": 60},
        "policy-edit": {"version": 1, "kinds": ["theft"], "role-1": "cctv", "wait-1": 60},
        "request-settle": {"outcome": "Stolen"},
        "request-find": {"way": "reference", "reference": "1", "proof": "Stolen"},
        "person-correct": {**about, "name": "Stolen", "reason": "Stolen"},
        "person-restrict": {**about},
        "person-erase": {**about},
        "document-record": {"kind": "privacy-notice", "version": "Stolen"},
        "card-broken": {"reason": "failed", "since_s": 1_000},
        "breach-act": {"kind": "warned", "version": 1},
        "photograph": {"proposal": "large-left"},
        "photograph-remove": {"reason": "poor"},
    }
    of_a_case: dict[str, object] = {"version": 1, "reason": "because", "close": ""}
    return sent.get(name, of_a_case if name.startswith(("case-", "hands")) else {})


REFUSALS: Final = (
    *("case.not-found", "individual.not-found", "notice.not-found", "photograph.not-found", "register.not-found"),
    *("statement-copy.not-found", "breach.not-found", "rights-request.not-found", "vote.not-found", "vote.refused"),
)
"""Rows of the audit that say that something was not done."""
DONE: Final = "SELECT COUNT(*) FROM {} WHERE action NOT IN ({})".format(
    AuditRow._meta.db_table, ", ".join(["%s"] * len(REFUSALS))
)
OF_WHOEVER_HAS_THE_LINK: Final = {"join", "recover", "rota-feed"}


class Line(NamedTuple):
    """A line of the table."""

    methods: frozenset[str]
    outcomes: dict[str, str]
    asks_again: bool


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


def column(person: Person) -> str:
    """Which column of the table is about a person, when what is asked for is of HART."""
    if person is None:
        return SIGNED_OUT
    role, scheme = person
    if role == "co-ordinator":
        return "Co-ordinator" if scheme == HART else "Co-ordinator elsewhere"
    if role == "members-contact":
        return "Member’s contact" if scheme == HART else "Member’s contact elsewhere"
    return "Other roles"


def expected_of(line: Line, person: Person) -> str:
    """What a line says of a person. “advisers 403” among other roles: that for police, PCSO and sergeant of HART.

    “All advisers”: those elsewhere too. “PCSO”, “police”: no other adviser. “Readers”: who reads the register.
    “Answerers”: who may answer alerts.
    """
    said = line.outcomes[column(person)]
    match = re.fullmatch("(all )?(advisers|answerers|readers|PCSO|police|engineers) (.*)", said)
    if match is None or person is None:
        return said
    named = {"advisers": ADVISERS, "readers": READERS, "PCSO": {"pcso"}, "police": {"police"}}
    named["engineers"] = {"fleet-engineer"}
    named["answerers"] = {*get_args(AnsweringRole)}
    roles = named[match[2]]
    return match[3] if person[0] in roles and (match[1] or person[1] == HART) else "404"


def outcome(answer: HttpResponseBase, what: str, *, is_signed_in: bool) -> str:
    """As the table says it. ``what``: ``"GET home"``."""
    to = answer.headers.get("Location", "")
    if to.startswith("/sign-in/?next=") or (to == "/sign-in/" and not is_signed_in):
        return "sign in"
    status = STATUSES.get(what, 200 if what.startswith("GET") else 302)
    if not is_signed_in:
        status = STATUSES_SIGNED_OUT.get(what, status)
    return "yes" if answer.status_code == status else str(answer.status_code)


@pytest.fixture(autouse=True)
def _no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what each template was given, for tests that look at it."""
    monkeypatch.setattr("django.test.client.store_rendered_templates", lambda *_, **__: None)


@pytest.fixture
def signed_in(signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch) -> SignedIn:
    """A second factor does not age on the way: a busy machine needs longer for it than the five minutes it counts."""

    def entered(account: Account, *, second_factor_age_s: float) -> Client:
        client, now = signed_in(account, second_factor_age_s=second_factor_age_s), time.time()
        monkeypatch.setattr(second_factor, "time", SimpleNamespace(time=lambda: now))
        return client

    return entered


@pytest.fixture
def town(
    schemes: dict[int, Scheme], make_person: MakePerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Town]:
    """A premises, a member, people and so on in each scheme, with the mark of the scheme in every name, and in both."""
    for scheme in schemes.values():
        scheme.name = f"{MARKS[scheme.number]} Scheme"
        scheme.save()
    in_pub_watch, in_hart = (things_of(schemes[number], make_person) for number in (PUB_WATCH, HART))
    assert in_pub_watch.arguments.keys() == in_hart.arguments.keys()
    galleries = ShopGalleries(tmp_path / "galleries")
    for number, mark in MARKS.items():
        node = NodeId(number)
        galleries.fit(node, 0, number, name=f"{mark} Inn")
        galleries.publish(number, {21: None})
        galleries.store.add_views(node, logged(node, (0, 0), (number, 21)), 1_000)
        galleries.store.is_forked(node, ViewHead(n=1, digest="ab" * 32), 1_000)
    machine_port = SimpleNamespace(nodes_file=galleries.config)
    monkeypatch.setattr("office.in_shops.port.settings", SimpleNamespace(OFFICE=machine_port))
    yield Town(in_hart, shared_things(schemes, make_person))
    galleries.store.close()


def browser_of(person: Person, make_person: MakePerson, signed_in: SignedIn, *, factor_age_s: float = 0.0) -> Client:
    """Of a member's contact who speaks for all members and nominated; of a co-ordinator with an upload."""
    if person is None:
        return Client()
    account = make_person(f"walker-{person[0]}", person)
    RecoveryCodes.activate(account)
    if person[0] == "members-contact":
        Spokesperson.objects.bulk_create(
            Spokesperson(member=one.member, scheme=one.scheme, account=account) for one in Membership.objects.all()
        )
        Case.objects.filter(state="nominated").update(nominated_by=account)
    if person == ("co-ordinator", HART):
        PendingImport.objects.filter(token=f"{MARKS[HART]}token").update(account=account)
    return signed_in(account, second_factor_age_s=factor_age_s)


def filled(address: str, name: str, things: Things) -> str:
    """The address, with what it asks for."""
    found = things.arguments.get(name) or things.arguments.get(address.split("/")[1], {})
    return re.sub(r"[A-Z_]{2,}", lambda word: str(found[word[0].lower()]), address)


def rows_of_what_was_done() -> int:
    """In the audit. Without Django's making of statements: it is asked thousands of times."""
    with connection.cursor() as cursor:
        cursor.execute(DONE, REFUSALS)
        (rows,) = cursor.fetchone()
        return int(rows)


def ask(
    browser: Client, method: str, address: str, sent: Mapping[str, object] = MappingProxyType({})
) -> tuple[HttpResponseBase, int]:
    """Ask, and undo whatever it did; the answer, and how many rows the audit has gained."""
    with transaction.atomic():
        cookies, rows = deepcopy(browser.cookies), rows_of_what_was_done()
        answer = browser.get(address) if method == "GET" else browser.post(address, dict(sent))
        gained = rows_of_what_was_done() - rows
        browser.cookies = cookies
        transaction.set_rollback(True)
    return answer, gained


def test_every_address_stands_in_the_table() -> None:
    assert sorted(table()) == sorted(routes())


def faults(
    browser: Client, person: Person, things: Things, expected: Mapping[str, str], *, doing: set[str]
) -> list[str]:
    """In what the answers to a person differ from what is expected.

    Args:
        browser: theirs.
        person: their role and scheme.
        things: what to ask for.
        expected: outcome by address; other addresses are not asked for.
        doing: names of the addresses at which something is done if it is posted by who may.
    """
    lines, found, scheme = table(), [], HART if person is None else person[1]
    hidden = MARKS[PUB_WATCH if scheme == HART else HART]
    for address, name in routes().items():
        for method in ("GET", "POST") if address in expected else ():
            sent = posted(name, scheme, things)
            answer, gained = ask(browser, method, filled(address, name, things), sent)
            said = outcome(answer, f"{method} {name}", is_signed_in=person is not None)
            may = {expected[address]} if method in lines[address].methods else {"404", "405", "sign in"}
            if said not in may:
                found.append(f"{method} {address}: {said}, not {' or '.join(sorted(may))}")
            if gained and said != "yes":
                found.append(f"{method} {address}: {said}, yet something was done")
            if (
                method == "POST"
                and said == "yes"
                and name in OF_ALL_THEIR_SCHEMES | doing
                and bool(gained) != (name in doing)
            ):
                found.append(f"{method} {address}: {gained} things were done")
            shown = b"".join(answer) if hasattr(answer, "__iter__") else b""
            if hidden.encode() in shown and name not in OF_WHOEVER_HAS_THE_LINK:
                found.append(f"{method} {address}: shows what is of the other scheme")
    return found


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: "-".join(map(str, person or ("nobody",))))
def test_every_role_may_what_the_table_says(
    person: Person, town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    browser = browser_of(person, make_person, signed_in)
    expected = {address: expected_of(line, person) for address, line in table().items()}

    assert faults(browser, person, town.hart, expected, doing=DOING) == []


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: "-".join(map(str, person or ("nobody",))))
def test_what_is_in_both_schemes_is_both_co_ordinators_but_tells_neither_of_the_other(
    person: Person, town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    browser = browser_of(person, make_person, signed_in)
    as_if_here = column(person and (person[0], HART))
    expected = {
        address: line.outcomes[column(person) if "/SCHEME/" in address else as_if_here]
        for address, line in table().items()
        if "/NUMBER/" in address and address.split("/")[1] in town.shared.arguments
    }
    if as_if_here == column(("members-contact", HART)):
        # Who is chosen for the member in one scheme lets nobody into the other's gallery.
        for kept in ("add", "PERSON/correct", "PERSON/start-code"):
            expected[f"/premises/NUMBER/staff/{kept}/"] = "404"
    for one_of_one_scheme in ("/people/invitations/NUMBER/cancel/", "/members/NUMBER/SCHEME/delete/"):
        del expected[one_of_one_scheme]

    assert faults(browser, person, town.shared, expected, doing=DOING - OF_ALL_THEIR_SCHEMES) == []


def test_a_second_factor_is_asked_for_again_where_the_table_says(
    town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    roles: tuple[RoleSlug, ...] = ("co-ordinator", "members-contact")
    browsers = [browser_of((role, HART), make_person, signed_in, factor_age_s=400) for role in roles]
    lines, asked = table(), set()
    for address, name in routes().items():
        for browser, method in product(browsers, sorted(lines[address].methods)):
            answer, gained = ask(browser, method, filled(address, name, town.hart))
            if answer.headers.get("Location", "").startswith("/again/") and not address.startswith("/again/"):
                asked.add(address)
                assert gained == 0

    assert asked == {address for address, line in lines.items() if line.asks_again}


def test_what_is_personal_stays_another_persons(town: Town, make_person: MakePerson, signed_in: SignedIn) -> None:
    browser = browser_of(("co-ordinator", HART), make_person, signed_in)
    for name in ("read_notice", "end_session", "mfa_remove_webauthn"):
        address = next(address for address, its in routes().items() if its == name)
        browser.post(filled(address, name, town.hart))

    assert town.hart.target.notices.filter(read_at=None).exists()
    assert OfficeSession.objects.filter(account=town.hart.target, ended_at=None).exists()
    assert Authenticator.objects.filter(user=town.hart.target, type=Authenticator.Type.WEBAUTHN).exists()
