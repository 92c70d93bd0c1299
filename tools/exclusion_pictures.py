"""Photographs the pages of exclusions for the documentation, with the demo's cases: the people on them are nobody.

``python -m tools.exclusion_pictures``. Days and times on the pictures are of the day on which they were made.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
from playwright.sync_api import Browser, sync_playwright

from demo.office_people import Shop, fill
from demo.premises import ADDRESSES, SCHEMES
from tests.support.exclusion_office import COOKIE, Made, RunningOffice, running, set_up_django
from tools.central_pictures import CHROMIUM, CHROMIUM_FLAGS
from tools.pictures import FOLDER, digest, write_small

CO_ORDINATOR, CONTACT = "grant", "ward"
DESK: Final[dict[str, Any]] = {"viewport": {"width": 1280, "height": 560}, "color_scheme": "light"}
PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 390, "height": 640},
    "device_scale_factor": 1.5,
    "color_scheme": "dark",
    "is_mobile": True,
    "has_touch": True,
}
SHOTS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "exclusion-case.png": (CO_ORDINATOR, "case", DESK),
    "exclusion-vote.png": (CONTACT, "vote", DESK),
    "exclusion-register.png": (CONTACT, "register", DESK),
    "exclusion-person.png": (CONTACT, "person", PHONE),
}
"""Name of the file: who looks, at which page, and how large."""
_TEMPLATES: Final = ("case.html", "person.html", "line.html", "register.html", "register_person.html", "vote.html")
_SOURCES: Final = (
    *(f"office/exclusions/templates/exclusions/{name}" for name in _TEMPLATES),
    "office/static/css",
    "demo/office_stories.py",
    "tools/exclusion_pictures.py",
)


def made_from() -> str:
    """Digest of what the pictures show."""
    return digest(*_SOURCES)


def main(arguments: list[str]) -> int:
    """Write the pictures; or, with ``fill OFFICE.TOML``, fill the office that is photographed."""
    if arguments[:1] == ["fill"]:
        sys.stdout.buffer.write(msgspec.json.encode(filled(arguments[1])))
        return 0
    photograph_all("tools.exclusion_pictures", SHOTS, made_from())
    return 0


def photograph_all(
    tool: str,
    shots: Mapping[str, tuple[str, str, dict[str, Any]]],
    made_from: str,
    wait: Callable[[RunningOffice], None] = lambda _: None,
) -> None:
    """Write pictures of an office that publishes.

    Args:
        tool: the module whose ``fill`` fills it.
        shots: by name of the file: who looks, at which page (its name in :class:`Made`, or its address), how large.
        made_from: digest of what they show.
        wait: until it is as it is to be seen.
    """
    with (
        tempfile.TemporaryDirectory(prefix="wl-") as folder,
        running(Path(folder), (tool, "fill"), publishes=True, schemes=SCHEMES) as office,
        sync_playwright() as playwright,
    ):
        wait(office)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS, "--lang=en-GB"])
        for name, (username, page, size) in shots.items():
            png = photograph(browser, office, username, office.made.addresses.get(page, page), size)
            write_small(FOLDER / name, png, made_from)
        browser.close()


def filled(config_file: str) -> Made:
    """An office with the demo's people and cases; sets Django up."""
    set_up_django(config_file)
    from office.accounts.models import Account  # noqa: PLC0415 - Django is set up now
    from office.exclusions.models import Ballot, Case  # noqa: PLC0415
    from tests.office.conftest import browser_of  # noqa: PLC0415

    fill(tuple(Shop(one.premises, one.place, one.schemes) for one in ADDRESSES))
    ours = Case.objects.filter(scheme__slug="hart", state="served", individual__photographs__is_shown=True)
    case = ours.latest("first_on")
    ballot = Ballot.objects.filter(case__scheme__slug="hart", ended_at=None, way="between-meetings").latest("pk")
    addresses = {
        "case": f"/cases/{case.pk}/",
        "vote": f"/votes/{ballot.pk}/",
        "register": "/register/",
        "person": f"/register/{case.individual_id}/",
    }
    people = Account.objects.filter(username__in=(CO_ORDINATOR, CONTACT))
    return Made({one.username: browser_of(one).cookies[COOKIE].value for one in people}, addresses=addresses)


def photograph(browser: Browser, office: RunningOffice, username: str, address: str, size: dict[str, Any]) -> bytes:
    """A PNG of the whole page."""
    with closing(office.context(browser, username, **size)) as context:
        page = context.new_page()
        page.goto(address)
        page.evaluate("document.fonts.ready.then(() => undefined)")
        page.wait_for_load_state("networkidle")
        return page.screenshot(full_page=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
