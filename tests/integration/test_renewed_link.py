"""A link whose certificate is replaced while it is open: it goes on, and shows the new one when it next connects."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.certificates import CertificateAuthority
from runtime.key_pair import replace_pair
from runtime.mqtt_link import LinkHandlers, LinkSettings, PahoLink
from tests.support.fleet_broker import DEADLINE_S
from tests.support.node_town import SHOP, Town
from tests.support.pairs import make, pair_in
from wire.subjects import NODES

pytestmark = pytest.mark.integration

OWN = f"watchlink/1/scheme/hart/frame/{SHOP}"


class Calls:
    """What the link told, one after the other."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[tuple[object, ...]] = queue.SimpleQueue()
        self.handlers = LinkHandlers(
            on_up=lambda: self.told.put(("up",)),
            on_down=lambda detail, _is_permanent: self.told.put(("down", detail)),
            on_message=lambda *_message: None,
            on_published=lambda token: self.told.put(("published", token)),
        )

    def wait_for(self, kind: str, what: str = "") -> None:
        while True:
            told = self.told.get(timeout=DEADLINE_S)
            if told[0] == kind and what in str(told[-1]):
                return


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def link(town: Town, calls: Calls) -> Iterator[PahoLink]:
    settings = LinkSettings(
        host="127.0.0.1",
        port=town.broker.port,
        ca_file="ca.pem",
        certificate_file="client.pem",
        key_file="client.key",
    )
    link = PahoLink(settings.resolved(town.folder(SHOP)), SHOP, calls.handlers)
    link.start()
    yield link
    link.stop()


def put(folder: Path, authority: CertificateAuthority) -> None:
    issued = make(authority, SHOP)
    replace_pair(pair_in(folder), issued.certificate_pem, issued.key_pem)


def test_link_goes_on_with_its_certificate_and_shows_the_new_one_when_it_connects(
    town: Town, calls: Calls, link: PahoLink
) -> None:
    folder = town.folder(SHOP)
    calls.wait_for("up")
    # One that the broker refuses, so that it shows which of the two was used.
    put(folder, CertificateAuthority.create("Elsewhere", datetime.now(UTC)))
    link.publish(OWN, b"while it is replaced", qos=1, token="same connection")
    calls.wait_for("published", "same connection")
    link.break_off()
    calls.wait_for("down", "another CA")
    link.publish(OWN, b"while it is away", qos=1, token="waited")
    put(folder, town.fleet.folder.issuer(NODES))
    calls.wait_for("up")
    calls.wait_for("published", "waited")
