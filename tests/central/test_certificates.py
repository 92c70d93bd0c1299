"""Certificates that central depends on are told a month before they end, in words that say what to do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from central.certificates import LISTS_WARNING, certificate_files, certificate_trouble, end_of, lists_trouble
from central.config import WebFiles
from provisioning.certificates import CertificateAuthority, issue_client_certificate, issue_crl
from runtime.mqtt_link import LinkSettings
from tests.support.central_town import START

DAY = timedelta(days=1)
LINK = LinkSettings(host="h", ca_file="ca.pem", certificate_file="/own/client.pem", key_file="client.key")
TIMER = "Tell the fleet’s engineer: its timer watchlink-fleet-lists should have renewed it; by hand"


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("central", f"no alert reaches central by network. {TIMER} watchlink fleet renew central."),
        ("alerts", f"a flood can hold up alerts. {TIMER} watchlink fleet renew alerts."),
        ("broker", f"no unit can connect. {TIMER} watchlink fleet renew broker."),
        ("page", "browsers refuse it. Tell the fleet’s engineer: watchlink fleet web-certificate."),
    ],
)
def test_certificate_is_told_a_month_before_it_ends(who: str, words: str) -> None:
    ends_at = START + 30 * DAY
    ended_at = START - DAY

    assert certificate_trouble({who: ends_at + timedelta(seconds=1)}, START) == ""
    late = certificate_trouble({who: ends_at}, START)
    ended = certificate_trouble({who: ended_at}, START)
    assert f"ends on {ends_at:%d %B %Y}, and from then on {words}" in late
    assert f"ended on {ended_at:%d %B %Y}: {words}" in ended


def test_all_that_end_are_told_and_what_is_not_known_is_not() -> None:
    said = certificate_trouble({"central": START, "alerts": START + 80 * DAY, "broker": START, "page": None}, START)

    assert ("Central’s certificate", True) == (said[:21], "The broker’s certificate" in said)
    assert "page" not in said
    assert "flood" not in said


def test_own_files_are_those_that_there_are() -> None:
    alerts = LinkSettings(host="h", ca_file="c", certificate_file="/own/alerts.pem", key_file="k")
    web = WebFiles(Path("/own/web.pem"), Path("/own/web.key"))

    assert {"central": Path("/own/client.pem")} == certificate_files(LINK, None, None)
    assert ["central", "alerts", "page"] == list(certificate_files(LINK, alerts, web))


def test_end_of_a_file_is_the_first_of_its_certificates(tmp_path: Path) -> None:
    authority = CertificateAuthority.create("Town", START - 3_640 * DAY)
    issued = issue_client_certificate(authority, "00000001", now=START)
    file = tmp_path / "client.pem"
    file.write_bytes(issued.certificate_pem + authority.certificate_pem)

    assert authority.certificate.not_valid_after_utc == end_of(file)
    file.write_bytes(b"spoilt")
    assert end_of(file) is None
    assert end_of(tmp_path / "none.pem") is None


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, ""),
        (9, ""),
        (10, "ends on 05 December 2026, and from then on the broker refuses everybody. Tell the fleet’s engineer"),
        (30, "ended on 05 December 2026: the broker refuses everybody. Tell the fleet’s engineer"),
    ],
)
def test_revocation_list_is_told_long_before_everybody_is_refused(tmp_path: Path, days: int, said: str) -> None:
    """The first that ends counts, whoever's it is."""
    file = tmp_path / "crl.pem"
    issuers = [CertificateAuthority.create(name, START) for name in ("nodes", "services")]
    file.write_bytes(b"".join(issue_crl(one, set(), 1, now=START + n * DAY) for n, one in enumerate(issuers)))
    ends_at = START + 30 * DAY
    told = lists_trouble(file, START + days * DAY)

    assert LISTS_WARNING == 20 * DAY
    assert bool(said) == bool(told)
    assert said.replace("05 December 2026", f"{ends_at:%d %B %Y}") in told


def test_revocation_list_of_a_clock_that_was_ahead_is_told(tmp_path: Path) -> None:
    file = tmp_path / "crl.pem"
    file.write_bytes(issue_crl(CertificateAuthority.create("nodes", START), set(), 1, now=START + 9 * DAY))

    assert "is not valid yet: the broker refuses everybody, unless" in lists_trouble(file, START)
    assert lists_trouble(file, START + 9 * DAY) == ""


def test_damaged_revocation_list_is_told_and_one_elsewhere_is_not(tmp_path: Path) -> None:
    file = tmp_path / "crl.pem"
    assert lists_trouble(file, START) == ""
    whole = issue_crl(CertificateAuthority.create("nodes", START), set(), 1, now=START)
    for data in (whole[:-60], whole + b"x", b"", whole.replace(b"M", b"m")):
        file.write_bytes(data)

        assert "it lets everybody in" in lists_trouble(file, START)


def test_revocation_list_that_central_may_not_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody took its folder away from central's group: silence would last until nobody can connect."""
    (tmp_path / "crl.pem").mkdir()
    assert "cannot read the broker’s revocation list (Is a directory)" in lists_trouble(tmp_path / "crl.pem", START)

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    told = lists_trouble(tmp_path / "crl.pem", START)
    assert "(Permission denied), so it would not tell before the broker refuses everybody" in told
    assert told.endswith("Tell the fleet’s engineer: systemd-tmpfiles --create watchlink-central.conf.")
