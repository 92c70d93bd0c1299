"""Whether what is changed at the pages reaches central, as far as the publisher's files tell."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from msgspec import Struct

from office.accounts.access import rights
from office.audit import alarm
from office.audit.models import AuditRow
from office.config import Configuration
from wire.snapshots import file_name, parse_file_name

WITHIN_S: float = 5.0
"""The publisher looks four times a second; later than this, a person is told that nobody has heard."""
_AGAIN_S: Final = 0.1
_HEAD_WITHIN: Final = timedelta(seconds=90)
"""The publisher publishes each row of the audit within a minute."""
_NOT_HEARD: Final = (
    "What you change here does not reach the control room now: sign people out there yourself if they must go. Tell"
    " the fleet's engineer: {}"
)


class _Listed(Struct):
    account: int


class _People(Struct):
    people: list[_Listed]


class _File(Struct):
    snapshot: _People


def is_cut_off(account: int) -> bool:
    """Wait until the newest list of people names an account no more; ``False`` = it does not come to that soon.

    The signature is central's business: here nothing is decided by the list.
    """
    office: Configuration | None = settings.OFFICE
    if office is None:
        return False
    until_s = time.monotonic() + WITHIN_S
    while _is_listed(office.snapshots_folder, account):
        if alarm.read(office.snapshots_folder) or time.monotonic() >= until_s:
            return False
        time.sleep(_AGAIN_S)
    return True


def banner(request: HttpRequest) -> dict[str, str]:
    """``audit_alarm`` and ``not_heard`` for templates, at most one of them, and for co-ordinators only."""
    office: Configuration | None = settings.OFFICE
    if office is None or not (hasattr(request, "user") and rights(request).co_ordinates):
        return {}
    said = alarm.read(office.snapshots_folder)
    return {"audit_alarm": said} if said else {"not_heard": _not_heard(office.snapshots_folder)}


def published_at() -> datetime | None:
    """When the newest list of people was written; ``None`` = none was, or it cannot be told."""
    office: Configuration | None = settings.OFFICE
    changed_s = 0.0 if office is None else _changed_s(office.snapshots_folder)
    return datetime.fromtimestamp(changed_s, UTC) if changed_s else None


def _not_heard(folder: Path) -> str:
    fault = alarm.read_fault(folder)
    if fault:
        return _NOT_HEARD.format(fault)
    heard_at = datetime.fromtimestamp(_changed_s(folder), UTC)
    settled = AuditRow.objects.filter(at__lt=timezone.now() - _HEAD_WITHIN)
    row_at = settled.order_by("-sequence").values_list("at", flat=True).first()
    if row_at is None or row_at <= heard_at:
        return ""
    return _NOT_HEARD.format("the publisher (watchlink-office-publish) does not publish.")


def _changed_s(folder: Path) -> float:
    try:
        newest = _newest(folder)
        return newest.stat().st_mtime if newest else 0.0
    except OSError:
        return 0.0


def _is_listed(folder: Path, account: int) -> bool:
    """Also if it cannot be told."""
    try:
        newest = _newest(folder)
        if newest is None:
            return True
        listed = msgspec.json.decode(newest.read_bytes(), type=_File).snapshot.people
    except (OSError, msgspec.MsgspecError):
        return True
    return any(one.account == account for one in listed)


def _newest(folder: Path) -> Path | None:
    parsed = [parse_file_name(path.name) for path in folder.iterdir()]
    number = max((one[1] for one in parsed if one is not None and one[0] == "people"), default=0)
    return folder / file_name("people", number) if number else None
