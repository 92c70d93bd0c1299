"""When certificates and revocation lists that central itself depends on end, and what people are told long before.

The premises' own are in their health. Their nodes renew them; these are renewed by a timer on the fleet's machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from central.config import WebFiles
from runtime.mqtt_link import LinkSettings
from runtime.revocation_list import split_lists
from wire.renewal import is_late

_DAILY: Final = "its timer watchlink-fleet-lists should have renewed it; by hand "
_SAID: Final = {
    "central": (
        "Central’s certificate",
        "no alert reaches central by network",
        f"{_DAILY}watchlink fleet renew central",
    ),
    "alerts": (
        "The certificate of central’s connection for alerts",
        "a flood can hold up alerts",
        f"{_DAILY}watchlink fleet renew alerts",
    ),
    "broker": ("The broker’s certificate", "no unit can connect", f"{_DAILY}watchlink fleet renew broker"),
    "page": ("The certificate of this page", "browsers refuse it", "watchlink fleet web-certificate"),
}
"""Whose, what happens when it has ended, and what the engineer runs."""


LISTS_FILE: Final = Path("/etc/watchlink/broker/crl.pem")
"""Of the broker's revocation lists, if it is on this machine."""
LISTS_WARNING: Final = timedelta(days=20)
"""As ``watchlink central check``: they last thirty days and are renewed every day, so ten were missed."""


def certificate_files(mqtt: LinkSettings, alerts: LinkSettings | None, web: WebFiles | None) -> dict[str, Path]:
    """Central's own, by whose they are."""
    found = {"central": Path(mqtt.certificate_file)}
    if alerts is not None:
        found["alerts"] = Path(alerts.certificate_file)
    if web is not None:
        found["page"] = Path(web.certificate_file)
    return found


def end_of(file: Path) -> datetime | None:
    """When the first of its certificates ends; ``None`` = it cannot be read, which other parts tell."""
    try:
        return min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError):
        return None


def certificate_trouble(ends: Mapping[str, datetime | None], now_at: datetime) -> str:
    """What people at central are told, in sentences; empty = each lasts for another month, as far as is known.

    Args:
        ends: by whose it is.
        now_at: aware.
    """
    return " ".join(
        _sentence(who, ends_at, now_at)
        for who, ends_at in ends.items()
        if ends_at is not None and is_late(ends_at, now_at)
    )


def lists_trouble(file: Path, now_at: datetime) -> str:
    """What people at central are told of the broker's revocation lists; empty = all is well, or they are elsewhere.

    Args:
        file: one list for each issuer, PEM.
        now_at: aware.
    """
    engineer = "Tell the fleet’s engineer: watchlink fleet renew-crl."
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return ""  # 'watchlink central check' tells of a file that is missing.
    except OSError as e:
        return (
            f"Central cannot read the broker’s revocation list ({e.strerror}), so it would not tell before the broker"
            " refuses everybody. Tell the fleet’s engineer: systemd-tmpfiles --create watchlink-central.conf."
        )
    found, rest = split_lists(data)
    try:
        lists = [x509.load_pem_x509_crl(one) for one in found]
    except ValueError:
        lists = []
    ends_at = min((one.next_update_utc for one in lists if one.next_update_utc is not None), default=None)
    if ends_at is None or rest:
        return f"The broker’s revocation list is damaged: once it reads that again, it lets everybody in. {engineer}"
    is_early = any(now_at < one.last_update_utc for one in lists)
    if ends_at - now_at > LISTS_WARNING and not is_early:
        return ""
    then = "the broker refuses everybody"
    if is_early:
        said = f"is not valid yet: {then}, unless the clock here is behind."
    elif ends_at <= now_at:
        said = f"ended on {ends_at:%d %B %Y}: {then}."
    else:
        said = f"ends on {ends_at:%d %B %Y}, and from then on {then}."
    return f"The broker’s revocation list {said} {engineer}"


def _sentence(who: str, ends_at: datetime, now_at: datetime) -> str:
    whose, then, command = _SAID[who]
    if ends_at <= now_at:
        said = f"{whose} ended on {ends_at:%d %B %Y}: {then}."
    else:
        said = f"{whose} ends on {ends_at:%d %B %Y}, and from then on {then}."
    return f"{said} Tell the fleet’s engineer: {command}."
