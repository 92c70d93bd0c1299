"""People's phones without a disk, and without a notifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from central.phones import Phone, Phones, PhonesError
from wire.notices import Notice, Subscription

KEY: Final = "B" * 87


class KeptPhones:
    """A disk in memory, and what was ordered."""

    def __init__(self) -> None:
        self.kept: dict[str, Phone] = {}
        self.ordered: list[Notice] = []
        self.is_full = False

    def phones(self, now: Callable[[], datetime]) -> Phones:
        """As central has them after its start."""
        return Phones(self, now, self.ordered.append, lambda: KEY, secret=b"s" * 32)

    def all(self) -> tuple[Phone, ...]:
        return tuple(self.kept.values())

    def add(self, phone: Phone, instead_of: Iterable[str] = ()) -> None:
        self._write()
        before = {*instead_of}
        others = [
            one
            for one in self.all()
            if one.subscription.endpoint != phone.subscription.endpoint and one.id not in before
        ]
        self.kept = {one.id: one for one in others}
        self.kept[phone.id] = phone

    def prove(self, phone: str, at: datetime | None) -> None:
        self._write()
        self.kept[phone] = replace(self.kept[phone], proven_at=at)

    def remove(self, phones: Iterable[str]) -> None:
        self._write()
        for phone in phones:
            self.kept.pop(phone, None)

    def _write(self) -> None:
        if self.is_full:
            raise PhonesError("Central’s disk refuses: full")


def subscription(name: str = "1") -> Subscription:
    """As a browser gives it."""
    return Subscription(endpoint=f"https://push.example.net/{name}", p256dh="B" * 87, auth="a" * 22)
