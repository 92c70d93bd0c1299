"""A draft of a statement says what is recorded, and makes nobody say what they cannot know."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime

import msgspec
import pikepdf
import pytest
from django.test import Client
from msgspec.structs import replace

from office.audit.journal import record
from office.audit.models import AuditRow
from office.breaches.evidence import facts_of
from office.breaches.models import Breach
from office.breaches.statements import Facts, Maker, Served, statement
from office.exclusions import acts
from office.exclusions.models import Case
from office.papers.drawing import draw, html_of
from office.papers.orders import CUSTODY_ROWS_MAX, CustodyRow, Order, StatementPaper
from office.people.intake_terms import Box
from office.people.merging import put_together
from office.people.models import Photograph
from office.people.photographs import add_photograph, keep_crop, show_photograph
from tests.office.breaches.conftest import breach_of
from tests.office.conftest import HART, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.people.conftest import taken

AT = datetime(2026, 7, 5, 13, 3, tzinfo=UTC)
"""14:03 in the shop."""
FACTS = Facts(
    scheme="HART",
    reference="HART-0042",
    name="Nobody Atall",
    kind="breach",
    at=AT,
    is_time_proven=True,
    place="Corner Shop, High Street",
    left="no",
    report="ab" * 16,
    incident="00000010-7",
    received_at=AT,
    first_on=date(2026, 3, 1),
    last_on=date(2027, 2, 28),
    served=Served(2, AT, "PC 1234", "High Street", "by hand"),
    photograph="cd" * 32,
    custody=(CustodyRow("1 Mar 2026, 10:00:00", "Handed in at the office", "Cora Hart, Co-ordinator"),),
)
MAKER = Maker(
    witness="reporter",
    name="Alice Alder",
    occupation="Shop assistant",
    crime_reference="26*123456",
    made_by="Cora Hart",
    made_on=date(2026, 7, 6),
)
PRODUCER = replace(MAKER, witness="producer", name="Cora Hart", occupation="Co-ordinator of HART")


def text_of(order: Order) -> str:
    body = html_of(order).partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_reporter_says_what_they_saw_under_the_declaration_of_the_act() -> None:
    text = text_of(statement(FACTS, MAKER))

    for said in (
        *("Criminal Justice Act 1967, s. 9", "Statement of Alice Alder", "Shop assistant", "26*123456"),
        "This statement (consisting of ______ pages each signed by me) is true to the best of my knowledge and belief",
        "I shall be liable to prosecution if I have wilfully stated in it anything which I know to be false",
        *("On 5 July 2026 at about 14:03", "They did not leave", "exhibit AA/1", "exhibit AA/2", "00000010-7"),
        *("HART-0042, by the name Nobody Atall", "cd" * 32, "Draft, not signed"),
    ):
        assert said in text
    for unknown_to_them in ("served", "PC 1234", "Handed in", "is excluded from"):
        assert unknown_to_them not in text


def test_producer_says_what_is_recorded_and_not_that_they_were_there() -> None:
    text = text_of(statement(FACTS, PRODUCER))

    for said in (
        *("I was not in the shop", "is excluded from 1 March 2026 to the end of 28 February 2027"),
        *("version 2, on 5 July 2026 at 14:03, High Street, by hand, by PC 1234", "exhibit CH/3", "ab" * 16),
        *("Schedule: the photograph, exhibit CH/1", "Handed in at the office", "Cora Hart, Co-ordinator"),
    ):
        assert said in text
    assert "I recognised" not in text


def test_what_is_not_known_is_a_line_to_write_on_and_what_is_not_proven_says_so() -> None:
    unknown = replace(FACTS, name="", photograph="", served=None, incident="", is_time_proven=False)
    reporter = text_of(statement(unknown, replace(MAKER, name="", occupation="", crime_reference="")))
    producer = text_of(statement(unknown, PRODUCER))

    assert "Statement of ________" in reporter
    assert "whose clock was not proven right at that moment" in reporter
    assert "HART-0042, whose name is not known" in reporter
    assert "no record that the person was served" in producer
    assert "photograph" not in reporter
    assert "Schedule" not in producer


def test_producer_says_how_an_exclusion_ended() -> None:
    over = text_of(statement(replace(FACTS, ended="last-day", ended_at=AT), PRODUCER))
    revoked = text_of(statement(replace(FACTS, ended="revoked", ended_at=AT), PRODUCER))
    days = "was excluded from 1 March 2026 to the end of 28 February 2027"

    assert f"{days}." in over
    assert f"{days}; that exclusion was revoked on 5 July 2026 at 14:03." in revoked
    assert "is excluded" not in over + revoked


def test_sighting_claims_no_breach() -> None:
    text = text_of(statement(replace(FACTS, kind="sighting"), MAKER))

    assert "Nearby I saw a person" in text
    assert "leave" not in text


INCIDENT = replace(
    FACTS, kind="incident", happened="theft", reference="", name="", left="", photograph="", served=None, custody=()
)


def test_reporter_of_an_incident_says_what_they_saw_of_nobody_in_the_register() -> None:
    text = text_of(statement(INCIDENT, MAKER))

    for said in (
        *(
            "Criminal Justice Act 1967, s. 9",
            "On 5 July 2026 at about 14:03",
            "number 00000010-7, written down as: theft",
        ),
        *("What I saw and heard, from how far", "exhibit AA/1", "Record of the alert, number 00000010-7"),
    ):
        assert said in text
    for unknown in ("HART-", "photograph", "excluded", "leave"):
        assert unknown not in text


def test_reporters_own_words_stand_as_numbered_paragraphs() -> None:
    text = text_of(statement(INCIDENT, replace(MAKER, words="He took six bottles.\n\nHe ran towards the station.")))

    assert "4. He took six bottles. 5. He ran towards the station. 6. Further:" in text
    assert "What I saw and heard, from how far" not in text


def test_longest_words_fit_the_order() -> None:
    order = statement(INCIDENT, replace(MAKER, words="x\n" * 999 + "End."))

    assert order == msgspec.json.decode(msgspec.json.encode(order), type=StatementPaper)
    assert order.paragraphs[-2].endswith(" x x End."), "nothing of them is left out"


def test_producer_of_an_incident_was_not_there() -> None:
    text = text_of(statement(INCIDENT, PRODUCER))

    assert "I was not in the shop" in text
    assert "The office wrote it down on 5 July 2026 at 14:03" in text
    assert "I was at work" not in text


def test_pdf_is_tagged_and_the_longest_schedule_fits() -> None:
    many = replace(FACTS, custody=FACTS.custody * (CUSTODY_ROWS_MAX + 5))
    with pikepdf.open(io.BytesIO(draw(statement(many, PRODUCER)))) as pdf:
        assert "/StructTreeRoot" in pdf.Root
        assert 1 < len(pdf.pages) <= 8


def test_pdf_of_an_incident_is_tagged_however_long_its_words_are() -> None:
    for words in ("", "He took six bottles.", "x\n" * 1_000):
        with pikepdf.open(io.BytesIO(draw(statement(INCIDENT, replace(MAKER, words=words))))) as pdf:
            assert "/StructTreeRoot" in pdf.Root


@pytest.fixture
def breach(town: Town) -> Breach:
    """By somebody with a photograph, which has a history."""
    case = town.case("served")
    photograph = add_photograph(town.cora, case.individual, taken(), source="camera 4", taken_on=date(2026, 1, 5))
    keep_crop(town.cora, photograph, Box(0, 0, 300, 400), (taken().whole, taken().whole))
    show_photograph(town.cora, photograph)
    return breach_of(case)


def test_custody_is_who_did_what_with_the_photograph_and_what_shops_are_sent(town: Town, breach: Breach) -> None:
    case = breach.case
    assert case is not None
    photograph = Photograph.objects.get()
    facts = facts_of(breach, case.individual, photograph)
    said = [(row.what, row.by) for row in facts.custody]

    begins = ("Handed in", "The face", "Chosen as", "The view log", "When this")
    assert [] == [what for (what, _), begin in zip(said, begins, strict=True) if not what.startswith(begin)]
    assert photograph.original_sha256 in said[0][0]
    assert f"{town.cora.name}, Co-ordinator" == said[0][1]
    assert facts.served is not None
    assert ("PC 1234", case.first_on) == (facts.served.by, facts.first_on)


def test_custody_is_of_this_photograph_alone(town: Town, breach: Breach) -> None:
    case, one = breach.case, Photograph.objects.get()
    assert case is not None
    record(town.deputy, "photograph.added", case.individual, photograph=one.pk * 10)
    facts = facts_of(breach, case.individual, one)

    assert 1 == sum(row.what.startswith("Handed in") for row in facts.custody)


def test_custody_has_what_was_done_under_a_number_that_was_the_same_person(town: Town, breach: Breach) -> None:
    case, was = breach.case, town.individual("Somebody Else")
    assert case is not None
    one = add_photograph(town.cora, was, taken(), source="CCTV", taken_on=None)
    put_together(case.individual, was)
    one.refresh_from_db()
    facts = facts_of(breach, one.individual, one)

    assert 1 == sum(row.what.startswith("Handed in") for row in facts.custody)


def test_facts_say_that_an_exclusion_was_revoked(town: Town, breach: Breach) -> None:
    case = breach.case
    assert case is not None
    before = facts_of(breach, case.individual, None)
    acts.revoke(town.turn(case), "Wrong person.")
    now = Breach.objects.get()
    assert now.case is not None
    facts = facts_of(now, case.individual, None)

    assert ("", "revoked", now.case.over_at) == (before.ended, facts.ended, facts.ended_at)


def made(browser: Client, breach: Breach, **typed: object) -> int:
    sent = {"witness": "producer", "name": "Cora Hart", "occupation": "", "crime_reference": "26*1"}
    return browser.post(f"/breaches/{breach.pk}/statement/", sent | typed).status_code


def test_statement_is_made_by_co_ordinator_or_police_and_is_in_the_audit(
    breach: Breach, town: Town, make_person: MakePerson, signed_in: SignedIn, ordered: list[StatementPaper]
) -> None:
    police = signed_in(make_person("pc", ("police", HART), name="Kit Lowe"))

    assert [200, 200] == [made(browser, breach) for browser in (signed_in(town.cora), police)]
    assert ["Kit Lowe", "26*1", "CH/1"] == [
        ordered[1].made_by,
        ordered[1].crime_reference,
        ordered[1].photograph_mark,
    ]
    assert [town.cora.name, "Kit Lowe"] == [
        row.actor_name for row in AuditRow.objects.filter(action="statement.made").order_by("sequence")
    ]
    assert 400 == made(police, breach, witness="")


def test_statement_wants_the_second_factor_again(
    breach: Breach, town: Town, signed_in: SignedIn, ordered: list[StatementPaper]
) -> None:
    stale = signed_in(town.cora, second_factor_age_s=400)

    assert 302 == stale.get(f"/breaches/{breach.pk}/statement/").status_code
    assert 302 == made(stale, breach)
    assert [] == ordered


def test_no_statement_is_made_about_somebody_who_is_not_shown(
    breach: Breach, make_person: MakePerson, signed_in: SignedIn, ordered: list[StatementPaper]
) -> None:
    Case.objects.filter(breaches=breach).update(is_restricted=True)

    assert 409 == made(signed_in(make_person("pc", ("police", HART))), breach)
    assert [] == ordered
