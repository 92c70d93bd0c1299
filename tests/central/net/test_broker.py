"""Both connections as one: neither may be dead without anybody noticing (N8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from central.core.events import Event
from central.net.broker import BrokerLinks
from central.net.inbox import Inbox
from provisioning.fleet import Fleet
from runtime.mqtt_link import LinkSettings, PahoLink


def test_status_starts_the_ended_thread_of_the_connection_for_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would publish nothing by itself: it answers alerts, and none comes."""
    folder = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=1).layout.central
    both = [
        LinkSettings(
            host="127.0.0.1", port=1, ca_file="ca.pem", certificate_file=f"{name}.pem", key_file=f"{name}.key"
        ).resolved(folder)
        for name in ("client", "alerts")
    ]
    inbox: Inbox[Event] = Inbox()
    links = BrokerLinks(both[0], both[1], inbox)
    revived: list[PahoLink] = []

    def note(link: PahoLink) -> None:
        revived.append(link)

    monkeypatch.setattr(PahoLink, "revive", note)

    links.publish("watchlink/1/scheme/hart/central", b"{}")

    assert links._alerts in revived
