"""Facts as plain sentences, in the words of the screens: only what is proven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from demo.chronicle import CENTRAL, Fact
from wire.kinds import Role

NameOf = Callable[[str], str]
"""A node's id → its premises' name."""

_ROLES: Final = {role.slug: role.title for role in Role}
_STATES: Final = {
    "answered": "is ANSWERED by {who}",
    "on-the-way": "{who} is on the way",
    "closed": "{who} has closed it",
    "unanswered": "nobody has it any more",
}
_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pressed": "{place}: {KIND} was pressed",
        "stored": "{place}: {alert} is saved on this unit",
        "published": "{place}: the broker has taken {alert}, which is not delivery",
        "receipt": "{place}: RECEIVED by central system{late}",
        "undelivered": "{place}: NOT DELIVERED – the screen says to use the radio or call 999",
        "shown": "{place}: warned – {KIND} at {from_premises} is on its screen{late}",
        "late": "{place}: {alert} is late",
        "response": "{place}: {from_premises} is {response}",
        "closed": "{place}: {alert} is closed",
        "cancelled": "{place}: {alert} was cancelled by the shop ({reason})",
        "committed": "central has {alert} on its disk",
        "rejected": "central dropped something: {reason}",
        "killed": "✗ {program} is killed with -9",
        "restarted": "✓ {program} is back",
    }
)
TOLD: Final = frozenset(_SENTENCES) | {"acknowledged"}
"""Facts that people and programs are told; the rest is housekeeping."""


def sentence_of(fact: Fact, name_of: NameOf) -> str:
    """One line, without a full stop."""
    place = "central" if fact.node == CENTRAL else name_of(fact.node)
    detail = {key: str(value) for key, value in fact.detail.items()}
    if fact.fact == "acknowledged":
        state = detail.get("state", "")
        role = _ROLES.get(detail.get("role", ""), detail.get("role", ""))
        who = f"{role} {detail.get('name', '')}".strip()
        return f"{place}: {_STATES.get(state, '{who} said ' + state).format(who=who)}"
    pattern = _SENTENCES.get(fact.fact)
    if pattern is None:
        return f"{place}: {fact.fact}"
    words = {
        "from_premises": "",
        "response": "",
        "reason": "",
        **detail,
        "place": place,
        "alert": fact.alert,
        "KIND": detail.get("kind", "").upper(),
        "late": ", late" if detail.get("is_late") == "true" else "",
        "program": name_of(fact.node) if fact.node not in ("", CENTRAL) else detail.get("program", ""),
    }
    return pattern.format_map(words)
