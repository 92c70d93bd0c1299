"""Central's start and end: without a broker, with a wrong configuration, on a bad disk, by signal (F3)."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.fleet import Fleet
from tests.support.central_program import running_central
from tests.support.fleet_broker import DEADLINE_S, free_port, running_broker

pytestmark = pytest.mark.integration


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    fleet.add("Corner Shop", "High St", ["hart"])
    return fleet


@pytest.fixture
def config(fleet: Fleet) -> Path:
    return fleet.layout.town / "central" / "central.toml"


def refused(config: Path) -> tuple[int, str]:
    """Status and the one sentence of a central that must not start."""
    command = [sys.executable, "-m", "watchlink.cli", "central", "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    sentence = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert "" == ended.stdout
    assert 1 == len(sentence), ended.stderr
    return ended.returncode, sentence[0]


@pytest.mark.parametrize("damage", ["missing", "of another certificate"])
def test_central_starts_without_the_key_of_its_second_connection(fleet: Fleet, config: Path, damage: str) -> None:
    """Alerts come by the other one, and the page says so."""
    key = config.parent / "alerts.key"
    if damage == "missing":
        key.unlink()
    else:
        key.write_bytes((config.parent / "client.key").read_bytes())
    with (
        running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port),
        running_central(config) as central,
    ):
        assert "alerts share the other connection, for theirs cannot be made" in central.log.read_text()
        central.wait_for_board(lambda board: board.is_broker_linked, "linked by the other one")
        with central.open() as page:
            assert b'<p id="notice-lane" >Alerts share one connection' in page.read()


def test_central_serves_its_page_without_a_broker_and_says_so(fleet: Fleet, config: Path) -> None:
    with running_central(config) as central:
        assert not central.board().is_broker_linked
        assert ["Corner Shop"] == [line.premises for line in central.board().nodes]
        with central.open() as page:
            assert b"Corner Shop" in page.read()
        with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
            central.wait_for_board(lambda board: board.is_broker_linked, "the broker is found by itself")
        central.wait_for_board(lambda board: not board.is_broker_linked, "the page says that it is gone")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_central_ends_at_a_signal_with_status_0(config: Path, how: signal.Signals) -> None:
    """Also with a browser's stream open."""
    with running_central(config) as central, central.open("feed") as feed:
        feed.readline()
        central.process.send_signal(how)

        assert 0 == central.wait()


def test_central_tells_systemd_that_it_is_ready_and_goes_on(config: Path, tmp_path: Path) -> None:
    """F3: ready, then the watchdog fed by the loop."""
    # A path of its own: a Unix socket's may have 107 bytes only.
    address = f"\0watchlink-test-{free_port()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(address)
        notices.settimeout(DEADLINE_S)
        # The process's own id is not known beforehand; systemd leaves WATCHDOG_PID out where it must.
        before = f"import os; os.environ.update(NOTIFY_SOCKET={'@' + address[1:]!r}, WATCHDOG_USEC='1000000');"
        with running_central(config, before) as central:
            heard: list[bytes] = []
            while heard.count(b"WATCHDOG=1") < 2:
                heard.append(notices.recv(4096))
            assert b"READY=1" in heard
            assert 0 == central.stop()


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ('host = "127.0.0.1"\nport = 8', 'host = "0.0.0.0"\nport = 8', "web.host"),
        ("[web]", "[wbe]", "did you mean 'web'"),
        ("sqlite:///state/central.db", "sqlite://", "database"),
        ('signing_key_file = "signing.key"', 'signing_key_file = "none.key"', "signing_key_file"),
        ('authority_file = "authority.pub"', 'authority_file = "ca.pem"', "authority_file"),
        ('key_file = "client.key"', 'key_file = "none.key"', "none.key"),
    ],
)
def test_central_refuses_a_wrong_configuration_with_one_sentence(
    config: Path, was: str, becomes: str, words: str
) -> None:
    text = config.read_text()
    port = next(line for line in reversed(text.splitlines()) if line.startswith("port"))
    text = text.replace(port, "port = 8")
    assert was in text
    config.write_text(text.replace(was, becomes))

    status, sentence = refused(config)

    assert 2 == status
    assert words in sentence
    assert str(config.parent) in sentence


def test_central_refuses_to_be_started_twice_on_one_database(config: Path, fleet: Fleet) -> None:
    with running_central(config):
        text = config.read_text()
        port = next(line for line in reversed(text.splitlines()) if line.startswith("port"))
        twin = config.with_name("twin.toml")
        twin.write_text(text.replace(port, "port = 0"))

        status, sentence = refused(twin)

    assert (1, True) == (status, "another central" in sentence)


def test_central_says_when_its_port_is_taken(config: Path) -> None:
    with running_central(config) as central:
        taken = central.url.rsplit(":", 1)[1].strip("/")
        status, sentence = refused(config)

    assert (1, True) == (status, taken in sentence)


def test_central_starts_with_a_bad_directory_and_shows_it(fleet: Fleet, config: Path) -> None:
    """Alerts are refused then, but the page tells why; the last good directory is kept on disk."""
    with running_central(config) as central:
        assert 1 == len(central.board().nodes)
    fleet.layout.directory.write_text(json.dumps({"document": "", "signature": ""}))

    with running_central(config) as central:
        central.wait_for_fact("rejected", reason="directory signature")
        assert ["Corner Shop"] == [line.premises for line in central.board().nodes]
