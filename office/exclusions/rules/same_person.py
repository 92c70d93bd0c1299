"""Which accounts may be one person's: told by the names and e-mail addresses that the office has of them.

It knows nothing else of who somebody is. Whoever goes by another name and another address is not found. Two people of
the same name are taken for one: then one who may act must ask, which is better than one who may not and does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from office.members.facts import folded

_RANKS: Final = frozenset(
    {"pc", "dc", "ps", "ds", "sgt", "sergeant", "insp", "inspector", "di", "dci", "ci", "pcso", "constable", "officer"}
    | {"mr", "mrs", "ms", "miss", "mx", "dr"}
)
"""Written before a name, or not."""
_APOSTROPHES: Final = re.compile("['’‘ʼ`´]")
_WORD: Final = re.compile(r"[^\W_]+")
_WORDS_MIN: Final = 2
"""So many are left of a name when initials are taken away."""


class Known(Struct, frozen=True):
    """What the office knows of who has an account.

    Attributes:
        account: number.
        name: as :func:`name_key` gives it.
        mailboxes: as :func:`mailbox` gives them; none = not known.
    """

    account: int
    name: str
    mailboxes: frozenset[str]


def known(account: int, name: str, emails: Iterable[str]) -> Known:
    """Of an account, its name and every address to which something was sent that opens it; empty ones do not count."""
    return Known(account, name_key(name), frozenset(filter(None, map(mailbox, emails))))


def may_be_one(one: Known, other: Known) -> bool:
    """Whether two accounts may be one person's: the same account, the same name, or an address in common."""
    if one.account == other.account:
        return True
    return bool(one.name and one.name == other.name) or not one.mailboxes.isdisjoint(other.mailboxes)


def name_key(name: str) -> str:
    """A name without capitals, accents, punctuation, ranks, initials and the order of its words."""
    words = _WORD.findall(folded(_APOSTROPHES.sub("", name)))
    words = [word for word in words if word not in _RANKS] or words
    rest = [word for word in words if len(word) > 1]
    return " ".join(sorted(rest if len(rest) >= _WORDS_MIN else words))


def mailbox(email: str) -> str:
    """An address without capitals and without what stands after a plus: both reach the same mailbox."""
    local, _, domain = folded(email).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if local else ""
