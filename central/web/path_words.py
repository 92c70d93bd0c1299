"""How the page words the two paths from a premises, drawn without script; ``paths.js`` uses the same words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from central.core.view import Card, NodeLine
from central.web import words

When = Callable[[datetime | None], str]


class PathSaid(Struct, frozen=True):
    """One path: its state, its shape and its words."""

    state: str
    shape: str
    text: str


def card_path(card: Card) -> str:
    """``by net``, ``by radio``, ``by radio+net`` (first to arrive first), with ``, late`` if it is."""
    paths = "+".join(words.PATH_WORDS[path] for path in card.paths or (card.path,))
    return f"by {paths}{', late' if card.is_late else ''}"


def paths_of(line: NodeLine, when: When) -> tuple[PathSaid, PathSaid]:
    """The network path, then the radio path."""
    net = words.NET_WORDS[line.state]
    network = PathSaid(line.state, words.NET_SHAPES[line.state], f"Net {net}")
    radio = line.radio
    if radio is None:
        return network, PathSaid("none", "state-never-seen", "No radio")
    # The last radio state of a premises out of contact may no longer be true.
    was = "" if line.state in ("ok", "fault") else "was "
    said = [] if radio.state == "unknown" else [was + words.RADIO_WORDS[radio.state]]
    if radio.tested_at is not None and radio.state in ("ready", "untested"):
        said.append(f"tested {when(radio.tested_at)}")
    if radio.heard_at is not None:
        by = f" at {radio.heard_by[0]}" if radio.heard_by else ""
        said.append(f"heard {when(radio.heard_at)}{by}")
    return network, PathSaid(radio.state, words.RADIO_SHAPES[radio.state], f"Radio {', '.join(said)}")


def warnings_of(line: NodeLine, when: When) -> tuple[str, ...]:
    """What needs attention, each beginning in capitals."""
    said = []
    radio = line.radio
    if radio is not None and radio.blocked_since is not None and line.state in ("ok", "fault"):
        said.append(
            f"CHANNEL BLOCKED since {when(radio.blocked_since)} – an alert is waiting. Stuck transmitter or jamming"
        )
    if radio is not None and radio.is_test_overdue:
        last = f"last came back {when(radio.tested_at)}" if radio.tested_at else "none has come back"
        said.append(f"RADIO TEST OVERDUE – {last}")
    if line.is_weekly_test_overdue:
        said.append("WEEKLY TEST OVERDUE – staff should press Test")
    return tuple(said)
