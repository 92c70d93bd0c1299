"""Certificates that central depends on are told a month before they end, in words that say what to do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from central.certificates import certificate_files, certificate_trouble, end_of
from central.config import WebFiles
from provisioning.certificates import CertificateAuthority, issue_client_certificate
from runtime.mqtt_link import LinkSettings
from tests.support.central_town import START

DAY = timedelta(days=1)
LINK = LinkSettings(host="h", ca_file="ca.pem", certificate_file="/own/client.pem", key_file="client.key")


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("central", "no alert reaches central by network. Tell the fleet’s engineer: watchlink fleet renew central."),
        ("alerts", "a flood can hold up alerts. Tell the fleet’s engineer: watchlink fleet renew alerts."),
        ("broker", "no unit can connect. Tell the fleet’s engineer: watchlink fleet renew broker."),
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
