"""An exclusion from its nomination to an erasure in a real browser, for everybody who uses one (G2, G11, G13)."""

from __future__ import annotations

import io
import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pikepdf
import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Locator, expect

from office.papers.tags import faults as tag_faults
from tests.support.browser import show_second_factor_if_asked
from tests.support.exclusion_cast import Cast, Seat
from tests.support.exclusion_office import VOTERS, running

pytestmark = pytest.mark.integration

NAME: Final = "Larkin Thorne"
NICKNAME: Final = "Fiddler"
LOOKS: Final = "About 170 cm, a green scarf, carries a violin case."
CONDUCT: Final = "Took four bottles of oil off the shelf, and shouted at the trainee who asked for the receipt."
REFERENCE: Final = "HART-0001"
BORN_ON: Final = date(1990, 5, 17)
FACE: Final = Path(__file__).parents[2] / "demo" / "faces" / "nobody-13.jpg"
NAMES: Final = ("Larkin", "Thorne", NICKNAME)
OF_THE_PERSON: Final = (*NAMES, "green scarf", "violin", "1990", "four bottles", "camera 2")
"""Words that nobody finds once the person is erased."""
IDENTITY: Final = (*NAMES, "scarf", "violin", REFERENCE, "1990", "/photographs/", "/register/1")
"""By which voters could know the person, in whatever capitals."""
MARK: Final = 24
"""How much a pixel differs, of 255, if a mark is there; JPEG alone changes less."""


@pytest.fixture
def cast(chromium: Browser) -> Iterator[Cast]:
    # The address of a local socket holds 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="wl-"))
    with running(folder, forbidden=(NAME, NICKNAME, LOOKS)) as office:
        yield Cast(office, chromium)
    shutil.rmtree(folder)


def test_exclusion_from_its_nomination_to_an_erasure(cast: Cast) -> None:
    nominate(cast.nominator)
    crop_by_keyboard(cast.co_ordinator)
    check_nomination(cast.co_ordinator)
    open_vote(cast.co_ordinator)
    for number, username in enumerate(VOTERS):
        vote_blindly(cast, username, is_looked_at=number == 0)
    only_advise(cast)
    decide(cast)
    issue(cast)
    serve(cast.co_ordinator)
    read_who_is_excluded(cast)
    appeal_and_revoke(cast)
    erase(cast)

    # Forms that had to be corrected are answered with 400; what is gone, and a vote that is none, are asked for once.
    expected = re.compile("status of (400|403|404)")
    assert [] == [said for one in cast.everybody() for said in one.complaints if not expected.search(said)]


def nominate(nominator: Seat) -> None:
    """With the name where members would read it, at first."""
    page = nominator.page
    page.goto("/")
    nominator.follow("Cases")
    nominator.check("Cases")
    nominator.follow("Nominate a person")
    nominator.check("Nominate a person")
    nominator.fill({"Name": NAME, "Also known as": NICKNAME, "Description": LOOKS, "What happened": f"{NAME} stole."})
    nominator.press("Nominate")
    nominator.check("Nominate a person")
    alert = page.get_by_role("main").get_by_role("alert")
    expect(alert).to_match_aria_snapshot("""
        - alert:
          - heading "Please correct this first" [level=2]
          - list:
            - listitem:
              - link "What it was"
            - listitem:
              - link "What happened"
            - listitem:
              - link "When"
            - listitem:
              - link "Where"
            - listitem:
              - link "Evidence"
    """)
    conduct = nominator.field("What happened")
    expect(conduct).to_have_accessible_description(re.compile("no name, .* If it is not their name, say so below"))
    alert.get_by_role("link", name="What happened").press("Enter")
    expect(conduct).to_be_focused()
    expect(conduct).to_have_value(f"{NAME} stole.")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    nominator.fill(
        {
            "Date of birth, if you know it": BORN_ON.isoformat(),
            "What happened": CONDUCT,
            "When": yesterday.date().isoformat(),
            "Where": "Corner Shop, High St",
            "Evidence": "Film of camera 2, held by the shop.",
            "Where the photograph comes from": "Camera 2 of the shop",
        }
    )
    nominator.field("What it was").select_option("theft")
    nominator.field("Photograph, if you have one").set_input_files(FACE)
    nominator.press("Nominate")
    nominator.check("HART case 1")
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
        - main:
          - status: HART case 1 is nominated.
          - heading "HART case 1" [level=1]
          - paragraph: /Nominated/
          - region "What happened"
    """)


def crop_by_keyboard(co_ordinator: Seat) -> None:
    """The co-ordinator looks at what could be read, takes a proposal, then moves its frame; all without a mouse."""
    page = co_ordinator.page
    page.goto("/cases/")
    co_ordinator.check("Cases")
    co_ordinator.follow("HART case 1")
    co_ordinator.check("HART case 1")
    co_ordinator.follow("Photographs (1)")
    co_ordinator.check("Photographs of HART-0001")
    page.get_by_role("link", name="Open the photograph").press("Enter")
    co_ordinator.is_at("Photograph of HART-0001")
    page.get_by_role("button", name="Crop the face").press("Enter")
    co_ordinator.check("Photograph of HART-0001")
    page.get_by_role("radio").first.press("Space")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Medium frame, middle")).to_be_checked()
    width = page.get_by_label("Width")
    for field in ("From the left", "From the top", "Width"):
        page.keyboard.press("Tab")
        expect(page.get_by_label(field)).to_be_focused()
    first = int(width.input_value())
    page.keyboard.press("ArrowDown")
    expect(width).to_have_value(str(first - 1))
    expect(page.get_by_role("radio", name="None: as I set it below")).to_be_checked()
    page.keyboard.press("Enter")
    show = page.get_by_role("button", name="Show this one to readers")
    expect(show).to_be_visible()  # The page before has the same heading.
    co_ordinator.check("Photograph of HART-0001")
    show.press("Enter")
    co_ordinator.check("Photographs of HART-0001")
    expect(page.get_by_role("img", name="Photograph of HART-0001")).to_be_visible()


def check_nomination(co_ordinator: Seat) -> None:
    """The co-ordinator checks it, and says too little at first."""
    page = co_ordinator.page
    page.goto("/cases/1/")
    co_ordinator.follow("Record the check")
    co_ordinator.is_at("Check HART case 1")
    co_ordinator.press("Record the check")
    co_ordinator.check("Check HART case 1")
    co_ordinator.field("Why all these premises are needed").fill("It could happen next door.")
    co_ordinator.field("What you checked, and how").fill("Film seen, staff asked. It is this person.")
    co_ordinator.press("Record the check")
    co_ordinator.is_at("HART case 1")


def open_vote(co_ordinator: Seat) -> None:
    co_ordinator.follow("Open the vote")
    co_ordinator.is_at("Open the vote")
    co_ordinator.press("Open the vote")
    co_ordinator.check("Open the vote")
    page = co_ordinator.page
    group = page.get_by_role("group", name="How members vote")
    expect(group).to_have_accessible_description("Choose how members vote.")
    group.get_by_role("radio", name="Between meetings").check()
    co_ordinator.press("Open the vote")
    co_ordinator.is_at("HART case 1")


def vote_blindly(cast: Cast, username: str, *, is_looked_at: bool) -> None:
    """Vote for exclusion, in a browser that is sent nothing that says who it is.

    Args:
        cast: everybody.
        username: whose vote it is.
        is_looked_at: whether the pages are checked; they are the same for each.
    """
    recording = cast.office.folder / f"{username}.har"
    voter = cast.seat(username, record_har_path=recording, record_har_content="embed")
    page = voter.page
    page.goto("/")
    voter.follow("Votes")
    if is_looked_at:
        voter.check("Votes")
    voter.follow("HART case 1")
    if is_looked_at:
        voter.check("Vote on HART case 1")
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
        - main:
          - /children: equal
          - heading "Vote on HART case 1" [level=1]
          - region "What happened"
          - heading "Your vote" [level=2]
          - group /Shop [2-4] votes/:
            - radio "Exclude"
            - radio "Do not exclude"
            - radio "Abstain"
          - paragraph: You can change it until the vote ends.
          - button "Vote"
          - link "Back"
          - region "The vote"
    """)
    assert_blind(voter)
    page.get_by_role("radio", name="Exclude", exact=True).press("Space")
    voter.press("Vote")
    if is_looked_at:
        voter.check("Vote on HART case 1")
    expect(page.get_by_text("Your vote is recorded.")).to_be_visible()
    expect(page.get_by_role("radio", name="Exclude", exact=True)).to_be_checked()
    assert_blind(voter)
    voter.context.close()
    assert_received_blind(recording)
    assert [] == voter.complaints


def assert_blind(voter: Seat) -> None:
    """Neither the document nor what a screen reader is told says who it is."""
    page = voter.page
    tree = voter.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    # Its numbers of nodes are nobody's year of birth.
    said = [node.get(key, {}).get("value") for node in tree for key in ("name", "value", "description")]
    for text in (page.content(), page.locator("body").aria_snapshot(), json.dumps(said)):
        assert [] == known_from(text)


def assert_received_blind(recording: Path) -> None:
    """Nothing that came over the network, of whatever kind, says who it is, and nothing of it is a photograph."""
    entries = json.loads(recording.read_text())["log"]["entries"]
    addresses = {urlsplit(entry["request"]["url"]).path for entry in entries}
    assert {"/", "/votes/", "/votes/1/", "/votes/1/cast/"} <= addresses
    for entry in entries:
        answer, content = entry["response"], entry["response"]["content"]
        kind, text = content["mimeType"], content.get("text", "")
        assert not kind.startswith("image/") or kind == "image/svg+xml", entry["request"]["url"]
        assert content.get("encoding") != "base64" or kind.startswith(("font/", "application/font")), kind
        assert [] == known_from(json.dumps([entry["request"]["url"], answer["headers"]]))
        if not content.get("encoding"):
            assert [] == known_from(text), entry["request"]["url"]


def known_from(text: str) -> list[str]:
    """What of a text says who it is."""
    return [word for word in IDENTITY if word.casefold() in text.casefold()]


def only_advise(cast: Cast) -> None:
    """Police and co-ordinator see what members vote on, and have no way to vote; nor has the member that nominated."""
    for one in (cast.police, cast.co_ordinator):
        one.page.goto("/votes/")
        one.follow("HART case 1")
        one.check("Vote on HART case 1")
        expect(one.page.get_by_text("Police and co-ordinators advise and do not vote.")).to_be_visible()
        assert_no_way_to_vote(one)
        token = one.page.locator("[name=csrfmiddlewaretoken]").first.input_value()
        crafted: dict[str, str | float | bool] = {"csrfmiddlewaretoken": token, "member-2": "do-not-exclude"}
        answer = one.context.request.post("/votes/1/cast/", form=crafted)
        assert HTTPStatus.FORBIDDEN == answer.status
        assert "Police and the co-ordinator advise and do not vote." in answer.text()
    assert [] == known_from(cast.police.page.content())
    cast.nominator.page.goto("/votes/1/")
    expect(cast.nominator.page.get_by_text("You nominated this person, so you have no vote on it.")).to_be_visible()
    assert_no_way_to_vote(cast.nominator)


def assert_no_way_to_vote(one: Seat) -> None:
    main = one.page.get_by_role("main")
    expect(main.get_by_role("heading", name="What happened")).to_be_visible()
    for role in ("radio", "button", "group"):
        expect(main.get_by_role(role)).to_have_count(0)


def decide(cast: Cast) -> None:
    """The seven days are over: the votes of the three count, and still nobody else is told who it is."""
    with closing(sqlite3.connect(cast.office.folder / "office.sqlite3", timeout=30)) as database, database:
        database.execute("UPDATE exclusions_ballot SET closes_at = ?", (f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}",))
    reader = cast.reader
    reader.page.goto("/votes/1/")
    reader.check("Vote on HART case 1")
    expect(reader.page.get_by_role("region", name="Excluded")).to_match_aria_snapshot("""
        - region "Excluded":
          - heading "Excluded" [level=2]
          - paragraph: 3 for, 0 against, 0 abstained.
          - paragraph: Decided between meetings, without name or photograph.
    """)
    assert [] == known_from(reader.page.content())
    cast.nominator.page.goto("/cases/1/")
    expect(cast.nominator.page.get_by_text("Decided: excluded").first).to_be_visible()
    cast.co_ordinator.page.goto("/votes/1/")
    cast.co_ordinator.check("Vote on HART case 1")
    expect(cast.co_ordinator.page.get_by_role("region", name="The person")).to_contain_text(NAME)


def issue(cast: Cast) -> None:
    """Issuing is grave, so it asks for a second factor. The notice downloads, and its tags are right."""
    co_ordinator, page = cast.co_ordinator, cast.co_ordinator.page
    page.goto("/cases/1/")
    co_ordinator.check("HART case 1")
    co_ordinator.follow("Issue")
    co_ordinator.is_at("Show your second factor again")
    page.get_by_label("Code").fill("000000")
    co_ordinator.press("Continue")
    co_ordinator.check("Show your second factor again")
    page.get_by_label("Code").fill(cast.office.code)
    co_ordinator.press("Continue")
    co_ordinator.check("Issue")
    co_ordinator.press("Issue")
    co_ordinator.check("HART case 1")
    with page.expect_download() as waited:
        co_ordinator.follow("Version 1 as PDF, A4")
    assert "HART-0001-version-1.pdf" == waited.value.suggested_filename
    with pikepdf.open(waited.value.path()) as notice:
        assert [] == tag_faults(notice)
        assert "HART-0001" in str(notice.docinfo["/Title"])


def serve(co_ordinator: Seat) -> None:
    """Never without the privacy information."""
    page = co_ordinator.page
    co_ordinator.follow("Record that it was served")
    co_ordinator.is_at("Record that it was served")
    co_ordinator.fill({"Who served it": "PC 1234 Reed", "Where": "High St", "How": "Handed over"})
    co_ordinator.press("Record that it was served")
    co_ordinator.check("Record that it was served")
    given = page.get_by_role("checkbox", name="The privacy information was given with it, or before")
    expect(given).to_have_accessible_description("The privacy information must be given with the notice, or before.")
    given.press("Space")
    co_ordinator.press("Record that it was served")
    co_ordinator.check("HART case 1")
    expect(page.get_by_role("table", name="Notices")).to_contain_text("Handed over, by PC 1234 Reed")


def read_who_is_excluded(cast: Cast) -> None:
    """A member's contact and police see face and name, each with a mark of their own across the whole picture."""
    seen = []
    for one in (cast.reader, cast.police):
        one.page.goto("/")
        one.follow("Excluded now")
        one.check("Excluded now")
        assert is_loaded(one.page.get_by_role("img", name="Face of HART-0001"))
        one.follow(NAME)
        one.check(NAME)
        face = one.page.get_by_role("img", name="Face of HART-0001")
        assert is_loaded(face)
        seen.append(one.context.request.get(str(face.get_attribute("src"))).body())
    theirs, others = (Image.open(io.BytesIO(data)).convert("L") for data in seen)
    marked = ImageChops.difference(theirs, others).point(lambda value: 255 * (value > MARK)).getbbox()
    assert marked is not None
    assert marked[2] - marked[0] > theirs.width * 0.9
    assert marked[3] - marked[1] > theirs.height * 0.9


def is_loaded(picture: Locator) -> bool:
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", value=True)
    return bool(picture.evaluate("picture => picture.naturalWidth > 0"))


def appeal_and_revoke(cast: Cast) -> None:
    """The person was right: at once nobody reads of them."""
    co_ordinator, page = cast.co_ordinator, cast.co_ordinator.page
    page.goto("/cases/1/")
    co_ordinator.follow("Record an appeal")
    co_ordinator.check("Record an appeal")
    page.get_by_label("Why").fill("I have the receipt for all four.")
    co_ordinator.press("Record an appeal")
    co_ordinator.is_at("HART case 1")
    expect(page.get_by_text("Appeal open")).to_be_visible()
    co_ordinator.follow("Revoke")
    revoke = page.get_by_role("button", name="Revoke", exact=True)
    show_second_factor_if_asked(page, revoke, lambda: cast.office.code)
    co_ordinator.is_at("Revoke")
    co_ordinator.press("Revoke")
    co_ordinator.check("Revoke")
    page.get_by_label("Why").fill("The receipt is right. The shop has said sorry.")
    co_ordinator.press("Revoke")
    co_ordinator.check("HART case 1")
    for one in (cast.reader, cast.police):
        assert [] == one.still_shown(NAMES)
        one.page.goto("/register/")
        expect(one.page.get_by_text("Nobody is excluded now.")).to_be_visible()
    cast.reader.check("Excluded now")


def erase(cast: Cast) -> None:
    """At the person's request; then none of the pages on which they stood has anything of them."""
    co_ordinator, page = cast.co_ordinator, cast.co_ordinator.page
    page.goto("/rights/")
    co_ordinator.check("Requests of people about themselves")
    co_ordinator.follow("Record a request")
    co_ordinator.is_at("Record a request")
    co_ordinator.press("Record")
    co_ordinator.check("Record a request")
    co_ordinator.field("What they want").select_option("erasure")
    co_ordinator.fill({"Who asks, and how to reach them": "The person, at the counter"})
    co_ordinator.press("Record")
    co_ordinator.check("Wants erasure")
    co_ordinator.follow("Find them in the register")
    co_ordinator.is_at("Find the person")
    co_ordinator.press("Find")
    co_ordinator.check("Find the person")
    page.get_by_role("radio", name="By the reference on the notice").check()
    co_ordinator.fill({"Reference": REFERENCE, "How they proved who they are": "Passport seen."})
    co_ordinator.press("Find")
    co_ordinator.check("Wants erasure")
    co_ordinator.follow("Erase")
    co_ordinator.check("Erase HART-0001 for good")
    assert co_ordinator.still_shown(OF_THE_PERSON)
    assert cast.office.photograph_files
    co_ordinator.fill({"Why": "It was a mistake."})
    co_ordinator.press("Erase for good")
    co_ordinator.check("Wants erasure")
    for one in cast.everybody():
        assert [] == one.still_shown(OF_THE_PERSON)
    assert [] == cast.office.photograph_files
    for file in cast.office.folder.glob("office.sqlite3*"):
        with suppress(FileNotFoundError):  # SQLite takes its journal away when nobody is connected.
            assert NAME.encode() not in file.read_bytes()
    for one in (co_ordinator, cast.nominator):
        one.page.goto("/cases/1/")
        one.check("HART case 1")
