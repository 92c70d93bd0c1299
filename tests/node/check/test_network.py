"""The broker, a real one: what it says to our certificate; and a live session stays what it is (F2, F3)."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.check.configuration import read_configuration
from node.check.network import network_steps
from node.check.unit import Unit
from node.step import Outcome, Step
from provisioning.certificates import CertificateAuthority, issue_client_certificate
from provisioning.fleet import Fleet, NewNode
from tests.support.fleet_broker import DEADLINE_S, free_port, listening, running_broker, wait_until

NODE, OTHER = "00000010", "00000011"
NOBODY = Unit({}, is_ours=False, holder=0)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a broker may need longer than an engineer waits."""
    monkeypatch.setattr("node.check.network._WITHIN_S", DEADLINE_S)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """With its broker running."""
    port = free_port()
    fleet = Fleet.init(tmp_path_factory.mktemp("check") / "town", schemes={"hart": "HART"}, port=port)
    fleet.add_all([NewNode("Corner Shop", "", ["hart"]), NewNode("Red Lion", "", ["hart"])])
    with running_broker(fleet.layout.broker / "mosquitto.conf", port):
        yield fleet


def broker(fleet: Fleet, node: str = NODE, unit: Unit = NOBODY) -> Step:
    identity, _ = read_configuration(fleet.node_folder(node) / "node.toml", "")
    return next(step for step in network_steps(identity, unit) if step.name == "broker")


@pytest.mark.integration
def test_broker_that_takes_our_certificate_is_called_right(town: Fleet) -> None:
    assert Outcome.OK is broker(town).outcome


@pytest.mark.integration
def test_look_opens_no_session_and_throws_nobody_out(town: Fleet) -> None:
    """A CONNECT would: the broker makes the certificate's name the client id, and one id has one session."""
    log = town.layout.broker / "mosquitto.log"
    with listening(town.record.broker.port, town.node_folder(NODE)) as live:
        before = len(log.read_text())
        assert Outcome.OK is broker(town).outcome
        wait_until(lambda: "due to protocol error" in log.read_text()[before:], "the broker has seen it")
        assert live.publish("watchlink/1/x")  # It would have heard of its end before this answer.

        assert not live.disconnected.is_set()
    assert "already connected" not in log.read_text()[before:]


@pytest.mark.integration
def test_certificate_of_another_town_is_refused_in_words(town: Fleet) -> None:
    folder = town.node_folder(OTHER)
    now = datetime.now(UTC)
    stranger = issue_client_certificate(CertificateAuthority.create("elsewhere", now), OTHER, now=now)
    (folder / "client.pem").write_bytes(stranger.certificate_pem)
    (folder / "client.key").write_bytes(stranger.key_pem)
    step = broker(town, OTHER)

    assert Outcome.BAD is step.outcome
    assert "refuses our certificate" in step.text
    assert step.advice.startswith("ask the fleet's engineer")


@contextlib.contextmanager
def answering(data: bytes) -> Iterator[int]:
    """Something that is no broker, on a port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            link, _ = server.accept()
            with link:
                link.sendall(data)
                link.recv(100)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def set_port(folder: Path, port: int) -> None:
    file = folder / "node.toml"
    lines = [f"port = {port}" if line.startswith("port = ") else line for line in file.read_text().splitlines()]
    file.write_text("\n".join(lines))


def test_port_without_tls_is_told(tmp_path: Path) -> None:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode("Corner Shop", "", ["hart"])])
    with answering(b"SSH-2.0-x\r\n") as port:
        set_port(fleet.node_folder(NODE), port)
        step = broker(fleet)

    assert (Outcome.BAD, True) == (step.outcome, "does not speak TLS" in step.text), step.text


def test_nobody_there_and_a_name_that_is_not_found_are_told(tmp_path: Path) -> None:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=1)
    fleet.add_all([NewNode("Corner Shop", "", ["hart"])])
    assert "no broker answers at 127.0.0.1:1" == broker(fleet).text
    file = fleet.node_folder(NODE) / "node.toml"
    file.write_text(file.read_text().replace("127.0.0.1", "no-such-host.invalid"))
    identity, _ = read_configuration(file, "")
    steps = network_steps(identity, NOBODY)

    assert [("name", Outcome.BAD)] == [(step.name, step.outcome) for step in steps]
