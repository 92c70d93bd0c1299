"""What a restore from a backup means for the rota: an address that somebody ended since would be good again."""

from __future__ import annotations

from typing import Final

from office.rota.models import RotaFeed

TOLD: Final = (
    "The addresses of calendars of the rota have ended, as one may be back that was ended since: people make new ones"
    " on the page “Rota”. The rota itself is as in the copy: look through it."
)


def end_calendars() -> list[str]:
    """End every calendar's address. Returns what to say."""
    ended, _ = RotaFeed.objects.all().delete()
    return [TOLD] if ended else []
