"""An exclusion from its nomination to the person's erasure, by seven people at the office's pages (G2, G11, G13).

People act only through what a person has: a browser, a password, codes. Whatever happened is read where it arrives: in
somebody else's browser, on the printed notice, in the co-ordinator's audit.
"""

from __future__ import annotations

import csv
import io
import re
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

from msgspec import Struct

from demo.notice import NeverCameError
from demo.office import Office
from demo.office_person import OfficePerson, closing
from demo.scripts.stage import Stage
from demo.visitor import JPEG, LostError, Page
from office.exclusions.rules.law import DOCUMENT_KINDS
from wire.snapshots import RoleSlug

HART: Final = 1
SHOPS: Final = ("Corner Shop", "Penny Books", "Night Stop", "Fern Florist")
FACE: Final = Path(__file__).parents[1] / "faces" / "nobody-13.jpg"
_FIRST: Final = "First co-ordinator"
"""So the office calls who opens its first link."""
NAME: Final = "Larkin Thorne"
_LOOKS: Final = "About 170 cm, a green scarf, carries a violin case."
_CONDUCT: Final = "Took four bottles of oil off the shelf, and shouted at the trainee who asked for the receipt."
_REFERENCE: Final = "HART-0001"
_ADVISE_ONLY: Final = "Police and the co-ordinator advise and do not vote."
_STATE: Final = re.compile(r'<span class="state"><span aria-hidden="true">.</span> ([^<]+)</span>')
_NOTICE: Final = re.compile(r'href="(/papers/notices/[0-9]+/)"')
_PHOTOGRAPH: Final = re.compile(r'src="(/photographs/[0-9]+/portrait\.jpg)"')


class Cast(Struct, frozen=True):
    """Who plays.

    Attributes:
        nominator: speaks for the first shop; ``voters`` for the others, one each.
    """

    co_ordinator: OfficePerson
    nominator: OfficePerson
    voters: tuple[OfficePerson, ...]
    police: OfficePerson
    pcso: OfficePerson


async def play(stage: Stage) -> None:
    """Play it.

    Raises:
        NeverCameError: something did not happen.
    """
    office = stage.town.office
    assert office is not None
    people: list[OfficePerson] = []
    try:
        async with closing(people):
            cast = await gather(stage, office, people)
            await nominate_and_check(stage, cast)
            await vote_between_meetings(stage, cast)
            await decide_at_a_meeting(stage, cast)
            await issue_and_serve(stage, cast)
            await _end(stage, cast)
    except LostError as e:
        raise NeverCameError(str(e)) from e


async def gather(stage: Stage, office: Office, people: list[OfficePerson]) -> Cast:
    """Everybody has an account, speaks for whom they should, and the register is on."""

    def person(name: str, role: RoleSlug) -> OfficePerson:
        people.append(OfficePerson(name, role, office_url=office.url, central_url=stage.town.watch_room.url))
        return people[-1]

    co_ordinator = person(_FIRST, "co-ordinator")
    await co_ordinator.join(office.first_link)
    contacts = [person(name, "members-contact") for name in ("Dee Mistry", "Nell Ward", "Lee Tanner", "Bo Quill")]
    police, pcso = person("Kit Lowe", "police"), person("J Patel", "pcso")
    links = [await co_ordinator.invite(one.name, one.role, [HART]) for one in people[1:]]
    for one, link in zip(people[1:], links, strict=True):
        await one.join(link)

    await co_ordinator.import_premises(_csv())
    for shop, contact in zip(SHOPS, contacts, strict=True):
        await co_ordinator.open("members/")
        await co_ordinator.office.follow(f"{shop} Ltd")
        await co_ordinator.office.follow("Choose people")
        boxes = co_ordinator.office.form("Save").choices[f"people-{HART}"]
        chosen = boxes[f"{contact.name} ({contact.username})"]
        await co_ordinator.office.submit("Save", **{f"people-{HART}": [chosen]})
    await co_ordinator.open("terms/hart/edit/")
    await co_ordinator.office.submit("Save", responsible="HART, 1 Market Place, LE1 0AA", contact="0116 496 0050")
    for kind in DOCUMENT_KINDS:
        await co_ordinator.open(f"terms/hart/documents/add/?kind={kind}")
        await co_ordinator.office.submit("Record", version="1.0")
    nominator, *voters = contacts
    return Cast(co_ordinator, nominator, tuple(voters), police, pcso)


async def nominate_and_check(stage: Stage, cast: Cast) -> None:
    """A member's contact nominates, the co-ordinator checks; each sees what the other did."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    await cast.nominator.open("cases/nominate/")
    await cast.nominator.office.submit(
        "Nominate",
        {"photograph": ("scarf.jpg", FACE.read_bytes())},
        name=NAME,
        description=_LOOKS,
        born_on="1990-05-17",
        category="theft",
        conduct=_CONDUCT,
        happened_on=yesterday,
        happened_at="Corner Shop, High St",
        evidence="Film of camera 2, held by the shop.",
        photograph_source="Camera 2 of the shop",
    )
    page = await cast.co_ordinator.open("cases/1/")
    stage.check(NAME in page.words and _CONDUCT in page.words, "the co-ordinator reads the nomination")
    _told(stage, "nominated", page, "Nominated", by=cast.nominator)

    await _show_photograph(stage, cast.co_ordinator)
    await cast.co_ordinator.open("cases/1/check/")
    await cast.co_ordinator.office.submit(
        "Record the check", necessity="It could happen next door.", note="Film seen, staff asked. It is this person."
    )
    _told(stage, "checked", await cast.nominator.open("cases/1/"), "Checked", by=cast.co_ordinator)


async def _show_photograph(stage: Stage, co_ordinator: OfficePerson) -> None:
    browser = co_ordinator.office
    await co_ordinator.open("cases/1/")
    await browser.follow("Photographs")
    await browser.follow("Open")
    first, *_ = browser.form("Crop the face").choices["proposal"].values()
    await browser.submit("Crop the face", proposal=first)
    await browser.submit("Show this one to readers")
    picture = await browser.read(_found(await co_ordinator.open("cases/1/"), _PHOTOGRAPH))
    stage.check(picture.content.startswith(JPEG), "the co-ordinator sees the photograph")


async def vote_between_meetings(stage: Stage, cast: Cast) -> None:
    """Three members vote from their own browsers; police and co-ordinator send what no page offers them."""
    co_ordinator = cast.co_ordinator
    await move(co_ordinator, "open-vote", "Open the vote", way="between-meetings")
    fields = []
    for voter in cast.voters:
        page = await voter.open("votes/1/")
        stage.check(_CONDUCT in page.words, f"{voter.name} reads what was done")
        fields.append(await _vote_blindly(stage, voter))
    stage.check(await _rows(co_ordinator, "vote.cast") == len(cast.voters), "the audit has a vote of each member")
    _say(stage, "voted", ", ".join(one.name for one in cast.voters))

    for adviser in (cast.police, co_ordinator):
        await adviser.open("votes/1/")
        page = await adviser.office.post("/votes/1/cast/", **{fields[0]: "do-not-exclude"})
        is_refused = page.status == HTTPStatus.FORBIDDEN and _ADVISE_ONLY in page.words
        stage.check(is_refused, f"the vote of {adviser.role} was refused; the office said {page.status}")
    refused = await _rows(co_ordinator, "vote.refused")
    stage.check(refused == len((cast.police, co_ordinator)), f"the audit names both refused votes, not {refused}")
    stage.check(await _rows(co_ordinator, "vote.cast") == len(cast.voters), "no vote of theirs is in the audit")
    page = await cast.voters[0].open("votes/1/")
    stage.check(_chosen(page, fields[0]) == "exclude", "the member's own vote stands")
    _say(stage, "police_refused", f"{cast.police.name}, {co_ordinator.name}")


async def _vote_blindly(stage: Stage, voter: OfficePerson) -> str:
    """Vote for exclusion, having seen neither name nor looks; returns the name of the field."""
    page = voter.office.page
    shown = [what for what in (NAME, _LOOKS, _REFERENCE, "/photographs/") if what in page.html]
    stage.check(not shown, f"{voter.name} is not told who it is, but sees {shown}")
    (field,) = (name for name in voter.office.form("Vote").names if name.startswith("member-"))
    await voter.office.submit("Vote", **{field: "exclude"})
    page = await voter.open("votes/1/")
    stage.check(_chosen(page, field) == "exclude", f"{voter.name} finds the vote as it was cast")
    return field


async def decide_at_a_meeting(stage: Stage, cast: Cast) -> None:
    """A vote between meetings lasts seven days. So it is stopped, and today's meeting decides by hands."""
    co_ordinator = cast.co_ordinator
    await move(co_ordinator, "stop-vote", "Stop the vote", reason="The meeting is today.")
    await move(co_ordinator, "open-vote", "Open the vote", way="meeting")
    page = await co_ordinator.open("votes/2/hands/")
    stage.check(NAME not in page.html, "the case is read by its number, without a name")
    fields = sorted(name for name in co_ordinator.office.form("Write down, leave it open").choices)
    stage.check(len(fields) == len(cast.voters), "every member but the one that nominated has a hand")

    await cast.police.open("votes/2/")
    page = await cast.police.office.post("/votes/2/hands/", **dict.fromkeys(fields, "exclude"), close="")
    stage.check(page.status == HTTPStatus.NOT_FOUND, "for police there is no page of hands")
    await co_ordinator.open("votes/2/hands/")
    await co_ordinator.office.submit(
        "Close the vote and count", **dict(zip(fields, ("exclude", "exclude", "do-not-exclude"), strict=True))
    )
    page = await cast.voters[0].open("votes/2/")
    stage.check("2 for, 1 against, 0 abstained" in page.words, f"members read the count: {page.words[-300:]}")
    stage.check("without name or photograph" in page.words, "the decision says which way it was taken")
    _told(stage, "decided", await cast.nominator.open("cases/1/"), "Decided: excluded", by=co_ordinator)


async def issue_and_serve(stage: Stage, cast: Cast) -> None:
    """The co-ordinator issues; the PCSO prints the notice and serves it."""
    page = await cast.pcso.open("cases/1/")
    stage.check(page.status == HTTPStatus.NOT_FOUND, "before it is issued there is no such case for a PCSO")
    await move(cast.co_ordinator, "issue", "Issue")
    page = await cast.pcso.open("cases/1/")
    notice = _found(page, _NOTICE)

    async def is_printed() -> bool:
        answer = await cast.pcso.office.read(notice)
        return answer.content.startswith(b"%PDF-") and _REFERENCE in answer.headers["content-disposition"]

    await stage.until("the PCSO had the notice as a PDF", is_printed)
    _told(stage, "issued", page, "Issued", by=cast.co_ordinator)

    await move(
        cast.pcso,
        "serve",
        "Record that it was served",
        by="J Patel, PCSO",
        where="High St",
        how="Handed over",
        gave_privacy_information="on",
    )
    page = await cast.co_ordinator.open("cases/1/")
    stage.check("Handed over, by J Patel, PCSO" in page.words, "the co-ordinator reads how it was served")
    _told(stage, "served", page, "Served", by=cast.pcso)
    for member in cast.voters:
        page = await member.open("register/")
        stage.check(NAME in page.words, f"{member.name} reads who is excluded now")
        picture = await member.office.read("/register/1/portrait.jpg")
        stage.check(picture.content.startswith(JPEG), f"{member.name} sees the photograph")


async def _end(stage: Stage, cast: Cast) -> None:
    """The person appeals, the exclusion is revoked, and in the end nothing of them is left but a number."""
    co_ordinator = cast.co_ordinator
    picture = _found(co_ordinator.office.page, _PHOTOGRAPH)
    notice = _found(co_ordinator.office.page, _NOTICE)
    await move(co_ordinator, "appeal", "Record an appeal", reason="I have the receipt for all four.")
    _told(stage, "appealed", await cast.pcso.open("cases/1/"), "Appeal open", by=co_ordinator)
    await move(co_ordinator, "revoke", "Revoke", reason="The receipt is right. The shop has said sorry.")
    page = await cast.pcso.open("cases/1/")
    stage.check(page.status == HTTPStatus.NOT_FOUND, "for the PCSO there is no such case any more")
    for member in cast.voters:
        page = await member.open("register/")
        stage.check(NAME not in page.html, f"{member.name} does not read of it any more")
    _told(stage, "revoked", await cast.nominator.open("cases/1/"), "Revoked", by=co_ordinator)

    await co_ordinator.open("rights/add/")
    await co_ordinator.office.submit("Record", kind="erasure", asked_by="Larkin T., at the counter")
    await co_ordinator.office.follow("Find them in the register")
    await co_ordinator.office.submit("Find", way="reference", reference=_REFERENCE, proof="Passport seen.")
    await co_ordinator.open("rights/1/erase/")
    await co_ordinator.office.submit("Erase for good", reason="It was a mistake.")
    page = await cast.nominator.open("cases/1/")
    left = [what for what in (NAME, _LOOKS, _CONDUCT, "camera 2") if what in page.html]
    stage.check(page.status == HTTPStatus.OK and not left, f"the nominator finds nothing of the person, but {left}")
    for what, address in (("photograph", picture), ("notice", notice)):
        answer = await co_ordinator.office.read(address)
        stage.check(answer.status_code == HTTPStatus.NOT_FOUND, f"the {what} is gone; got {answer.status_code}")
    page = await co_ordinator.open("audit/?action=individual.erased")
    stage.check(_REFERENCE in page.words and NAME not in page.html, "the audit says that it was done, by reference")
    removed = await _rows(co_ordinator, "photograph.removed")
    stage.check(removed == 1, f"the audit says that the photograph was removed; it has {removed} such rows")
    _say(stage, "erased", _REFERENCE)


async def move(person: OfficePerson, move: str, button: str, **filled: str) -> float:
    """Make a move of the case, by its own page; returns when its button was pressed, in monotonic seconds."""
    await person.open(f"cases/1/{move}/")
    pressed_s = time.monotonic()
    page = await person.office.submit(button, **filled)
    if page.url.endswith(f"/{move}/") or page.status != HTTPStatus.OK:
        raise LostError(f"{move} was not done: {page.words[:600]}")
    return pressed_s


def _told(stage: Stage, fact: str, page: Page, state: str, by: OfficePerson) -> None:
    """Say the fact if somebody else's page of the case says the state, and who brought it there."""
    states = _STATE.findall(page.html)
    stage.check(state in states and by.name in page.words, f"the case is {state} by {by.name}; the page says {states}")
    _say(stage, fact, by.name)


def _say(stage: Stage, fact: str, who: str) -> None:
    """Say the fact, unless something is missing: none follows from what did not happen."""
    if stage.is_complete:
        stage.say(fact, who=who)


async def _rows(co_ordinator: OfficePerson, action: str) -> int:
    """How many rows of an action the co-ordinator's audit has."""
    page = await co_ordinator.open(f"audit/?action={action}")
    return page.html.count(f"<td>{action.replace('.', ' ').capitalize()}</td>")


def _chosen(page: Page, field: str) -> str:
    """What a field sends if nobody touches it."""
    return next((form.values[field] for form in page.forms if field in form.values), "")


def _found(page: Page, pattern: re.Pattern[str]) -> str:
    match = pattern.search(page.html)
    if match is None:
        raise LostError(f"{page.url} has no {pattern.pattern}: {page.words[:400]}")
    return match[1]


def _csv() -> str:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(("Name", "Member", "Street or area", "Schemes", "Address"))
    rows.writerows((shop, f"{shop} Ltd", "High St", "HART", "12 High St, LE1 4AA") for shop in SHOPS)
    return out.getvalue()
