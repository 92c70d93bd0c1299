"""The page drawn by the server: readable without script, and marked as not live until the script takes over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import jinja2
import msgspec
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from central.core.details import PremisesLine
from central.core.people import GOING
from central.core.people import words as person_words
from central.core.view import Board, Card, NodeLine
from central.web import words
from central.web.feed import FeedTiming
from central.web.path_words import card_path, paths_of, warnings_of
from runtime.web_files import digest_of
from wire.kinds import Role

logger = logging.getLogger(__name__)

_HERE: Final = Path(__file__).parent
STATIC_DIR: Final = _HERE / "static"
_INTER_FILES: Final = ("Inter-Regular.otf", "Inter-SemiBold.otf", "Inter-Bold.otf")
_KINDS: Final = {kind.slug: told for kind, told in words.KIND_WORDS.items()}
_ROLES: Final = {role.slug: role.title for role in Role}
_TEST_PRIORITY: Final = 5


class Page:
    """Draws the page; reads its files once."""

    def __init__(
        self, *, notice: str, timing: FeedTiming, has_inter: bool, now: Callable[[], datetime], office_url: str = ""
    ) -> None:
        self._now = now
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # The order of the tables is the order on the page.
        environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
        self.digest = digest_of(STATIC_DIR, _HERE / "templates")
        environment.globals.update(
            digest=self.digest,
            notice=notice,
            timing=timing,
            has_inter=has_inter,
            roles=_ROLES,
            going=GOING,
            words_for=person_words,
            outcomes=words.OUTCOMES,
            browser_words={**words.browser_words(), "office": office_url},
            office_url=office_url,
            kind_word=lambda card: _kind(card)[0],
            kind_means=lambda card: _kind(card)[1],
            level=level,
            state_line=state_line,
            clock=clock,
            when=when,
            card_path=card_path,
            paths_of=paths_of,
            warnings_of=warnings_of,
            health_words=words.HEALTH_WORDS,
            untold_warning=words.UNTOLD_WARNING,
            silent_warning=words.SILENT_WARNING,
        )
        environment.globals["drawn"] = self._drawn
        self._environment = environment
        self._template = environment.get_template("page.html")

    def draw(self, template: str, **values: object) -> str:
        """HTML of another page, from its template."""
        return self._environment.get_template(template).render(values)

    def render(self, board: Board, me: Mapping[str, object]) -> str:
        """HTML with ``board`` drawn in.

        Args:
            board: what ``me`` sees.
            me: as ``/me.json`` says it.
        """
        order = list(words.HEALTH_WORDS)
        return self._template.render(
            board=board,
            places={one.node: one for one in board.premises},
            me=me,
            me_json=htmlsafe_json_dumps(msgspec.to_builtins(me)),
            now=self._now(),
            unanswered=_in_order(card for card in board.cards if card.state == "unanswered"),
            in_hand=_in_order(card for card in board.cards if card.state in {"answered", "on-the-way"}),
            nodes=sorted(board.nodes, key=lambda line: (order.index(line.state), line.premises)),
        )

    def _drawn(self, template: str, line: Card | NodeLine, place: PremisesLine | None = None) -> Markup:
        """One card or premises; if it cannot be drawn, its name is shown, and the rest is unaffected."""
        try:
            drawn = self._environment.get_template(template).render(line=line, place=place)
            return Markup(drawn)  # noqa: S704 - our own template
        except Exception:
            logger.exception("a part of the page cannot be drawn: %s", line.node)
            tag = "article" if isinstance(line, Card) else "li"
            bare = self._environment.get_template("bare.html").render(tag=tag, premises=line.premises)
            return Markup(bare)  # noqa: S704 - our own template


def level(card: Card) -> str:
    """The badge's letter: ``P1`` … ``P4``, ``T`` for a test or drill."""
    return "T" if _rank(card) == _TEST_PRIORITY else f"P{card.priority}"


def state_line(card: Card) -> str:
    """The incident's state in words."""
    said = words.STATE_WORDS[card.state]
    if card.state == "closed" and card.closed_by is not None:
        said += f" {words.by_whom(card.closed_by)} {clock(card.closed_at)}"
    elif card.state == "on-the-way" and card.coming is not None:
        said += f": {person_words(card.coming)} {clock(card.coming_at)}"
    elif card.state == "answered" and card.answered_by is not None:
        said += f" {words.by_whom(card.answered_by)} {clock(card.answered_at)}"
    if card.pressed_again_at is not None and card.state != "closed":
        again = f"{_KINDS[card.again_kind][0]} " if card.again_kind else ""
        said += f" · {again}PRESSED AGAIN {clock(card.pressed_again_at)}"
    if card.stands_for > 1:
        said += f" · {card.stands_for} {'closed' if card.state == 'closed' else 'open'} alerts here"
    if card.urgent_kind:
        said += f", among them {card.urgent_count}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{_KINDS[card.urgent_kind][0]}"
    if card.cancelled is not None:
        said += f" · Cancelled by shop ({words.CANCEL_WORDS[card.cancelled]}), still open"
    return said


def clock(at: datetime | None) -> str:
    """Local time of day, ``23:40:12``."""
    return "–" if at is None else at.astimezone().strftime("%H:%M:%S")


def when(at: datetime | None) -> str:
    """Local day and time, ``28 Nov 23:40``."""
    return "–" if at is None else f"{at.astimezone():%d %b %H:%M}"


def inter_files(folder: Path | None) -> dict[str, Path]:
    """The page's Inter font files, by name; empty unless all are there."""
    if folder is None:
        return {}
    files = {name: folder / name for name in _INTER_FILES}
    return files if all(file.is_file() for file in files.values()) else {}


def _kind(card: Card) -> tuple[str, str]:
    return _KINDS.get(card.kind, (card.kind.upper(), ""))


def _in_order(cards: Iterable[Card]) -> list[Card]:
    return sorted(cards, key=lambda card: (_rank(card), card.arrived_at))


def _rank(card: Card) -> int:
    # The drill of an attack stands below everything real.
    return _TEST_PRIORITY if card.is_drill else card.priority
