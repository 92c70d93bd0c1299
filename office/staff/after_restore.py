"""What a restore from a backup means for lists of staff: somebody who was taken off since is on one again."""

from __future__ import annotations

from typing import Final

from office.staff.models import StaffMember

TOLD: Final = (
    "Start codes of shops’ staff are void: give new ones to whoever has no PIN yet. Who was taken off a list of staff"
    " since the copy was made is on it again, without a PIN: ask the members’ contacts to look at their lists."
)


def void_start_codes() -> list[str]:
    """End every start code that is still good: units forgot that one was used, with its person. Returns what to say."""
    StaffMember.objects.exclude(code_check="").update(code_check="")
    return [TOLD] if StaffMember.objects.filter(taken_off_at=None).exists() else []
