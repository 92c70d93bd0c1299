"""Draws the pages from their templates, which are read once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import jinja2

from gallery.core.readable import Why
from gallery.core.words import NOTHING_YET, THE_BUTTON_WORKS, WORDS, Words
from gallery.page.finding import CATEGORY_WORDS, ONLY_WORDS
from gallery.page.keeping import IDLE_S, WARNING_S
from gallery.page.ports import NodeState, Person, Snapshot
from gallery.pictures.marking import LONDON
from runtime.web_files import digest_of

_HERE: Final = Path(__file__).parent
STATIC_DIR: Final = _HERE / "static"
_INTER_FILES: Final = ("Inter-Regular.otf", "Inter-SemiBold.otf", "Inter-Bold.otf")
NO_ANSWER: Final = NodeState(
    "The unit’s radio program does not answer this page. Its own buttons and screen count.", needs_care=True
)
REPORT_KINDS: Final[Mapping[str, str]] = {"breach": "here", "sighting": "seen nearby"}
LEFT_WORDS: Final[Mapping[str, str]] = {
    "yes": "Left when asked.",
    "no": "Did not leave.",
    "not-asked": "Not asked to leave.",
}
REPORT_STATES: Final[Mapping[str, str]] = {
    "waiting": "Not at the office yet",
    "sent": "The office has it",
    "refused": "The office could not take it. Tell your co-ordinator",
    "received": "Received by the office",
    "in-hand": "The office is dealing with it",
    "closed": "Closed by the office",
}
ALERT_WORDS: Final[Mapping[str, str]] = {"breach": "is in a shop now", "sighting": "was seen"}


class Drawing:
    """Draws.

    Args:
        has_inter: the font is served, too.

    Attributes:
        static: where scripts and styles are served. After an update elsewhere, so that no page goes by old ones.
    """

    def __init__(self, *, has_inter: bool) -> None:
        self.static = f"/static/{digest_of(STATIC_DIR)}"
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            alert_words=ALERT_WORDS,
            button_works=THE_BUTTON_WORKS,
            categories=CATEGORY_WORDS,
            clock=clock,
            day=day,
            has_inter=has_inter,
            idle_s=IDLE_S,
            only_words=ONLY_WORDS,
            left_words=LEFT_WORDS,
            people_words=people_words,
            report_kinds=REPORT_KINDS,
            report_states=REPORT_STATES,
            static=self.static,
            warning_s=WARNING_S,
            when=when,
            words_of=WORDS.__getitem__,
        )

    def draw(self, template: str, values: Mapping[str, object]) -> str:
        """HTML of a page."""
        return self._environment.get_template(template).render(values)


def off_words(snapshot: Snapshot) -> Words | None:
    """Why nobody at all is shown; ``None`` = a gallery is on."""
    if not snapshot.schemes:
        return NOTHING_YET if not snapshot.heard_at_s else WORDS[Why.SCHEME_LEFT]
    reasons = [one.off for one in snapshot.schemes]
    return None if None in reasons else next(WORDS[why] for why in Why if why in reasons)


def day(on: date) -> str:
    """``3 Nov 2027``."""
    return f"{on.day} {on:%b %Y}"


def clock(at_s: int) -> str:
    """Time of day in London: ``14:32``."""
    return f"{datetime.fromtimestamp(at_s, UTC).astimezone(LONDON):%H:%M}"


def when(at_s: int, now_s: int) -> str:
    """``14:32 today``, or ``14:32 on 3 Nov 2026``."""
    at, now = (datetime.fromtimestamp(one, UTC).astimezone(LONDON) for one in (at_s, now_s))
    return f"{at:%H:%M} today" if at.date() == now.date() else f"{at:%H:%M} on {day(at.date())}"


def people_words(count: int) -> str:
    """``1 person``, ``31 people``."""
    return f"{count} {'person' if count == 1 else 'people'}"


def title_of(person: Person) -> str:
    """What a page about somebody is called."""
    return person.text.name or person.text.reference


def inter_files(folder: Path | None) -> dict[str, Path]:
    """The page's font files, by name; empty unless all are there."""
    if folder is None:
        return {}
    files = {name: folder / name for name in _INTER_FILES}
    return files if all(file.is_file() for file in files.values()) else {}
