"""Who may read which rows of the audit, and how rows read to people. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Final

from office.accounts.rules import TITLES

EXPORT_ROWS_MAX: Final = 50_000
EXPORTS_AN_HOUR: Final = 6
"""Of one person."""


def may_read(schemes: str, own: Collection[int]) -> bool:
    """Whether a co-ordinator reads a row.

    Args:
        schemes: of the row, as :class:`office.audit.chain.Row` has them.
        own: numbers of the schemes in which the person is co-ordinator.
    """
    return bool(own) and (not schemes or not {*map(int, schemes.split())}.isdisjoint(own))


def action_text(action: str) -> str:
    """``sign-in-method.added`` → ``Sign-in method added``."""
    noun, _, verb = action.partition(".")
    words = noun.replace("sign-in", "sign_in").replace("-", " ").replace("_", "-")
    return f"{words} {verb.replace('-', ' ')}".strip().capitalize()


def role_text(roles: str, own: Collection[int]) -> str:
    """``pcso:1, police:1, police:2`` → ``PCSO, Police``: what a reader of the schemes ``own`` may know of them."""
    titles: dict[str, str] = dict(TITLES)
    known = {str(number) for number in own}
    pairs = (pair.partition(":") for pair in roles.split(", "))
    return ", ".join(dict.fromkeys(titles.get(role, role) for role, _, scheme in pairs if scheme in known))


def detail_lines(details: str) -> Iterator[str]:
    """``{"role":"pcso"}`` → ``role: pcso``."""
    read = json.loads(details)
    for name, value in read.items():
        yield f"{name.replace('_', ' ')}: {_value(value)}"


def _value(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case list():
            return ", ".join(map(_value, value))
        case dict():
            return "; ".join(f"{key}: {_value(each)}" for key, each in value.items())
        case _:
            return str(value)
