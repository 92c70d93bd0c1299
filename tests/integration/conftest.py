"""A fleet with a real broker, for tests that need one to themselves; and a browser."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provisioning.fleet import Fleet, NewNode
from tests.support.fleet_broker import free_port
from tests.support.mosquitto import Mosquitto
from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import Town

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# For a file, not for the session: while Playwright's own loop runs in this thread, other tests could not run one.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    from tests.support.browser import running_browser  # noqa: PLC0415 - few tests here need it

    with running_browser() as browser:
        yield browser


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """Everything a page said on its console that it should not have; checked at the end of each test."""
    said: list[str] = []
    yield said
    assert [] == said


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """The address of a local socket holds 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="wl-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def quiet_town(tmp_path: Path) -> Town:
    """A town whose broker does not run yet."""
    port = free_port()
    # A space and an umlaut in the path: "works from any folder name".
    fleet = Fleet.init(tmp_path / "ä town", schemes={"hart": "HART", "pubwatch": "Pub Watch"}, port=port)
    fleet.add_all(
        [
            NewNode("Corner Shop", "High St", ["hart"], profile="fake"),
            NewNode("Red Lion", "Mill Lane", ["pubwatch"], profile="fake"),
            NewNode("Station Hotel", "", ["hart", "pubwatch"], profile="fake"),
        ]
    )
    for node in fleet.nodes:
        with (fleet.node_folder(node.node) / "node.toml").open("a") as file:
            file.write("[alerts]\nreceipt_due_ms = 500\n")
    return Town(fleet, Mosquitto(fleet.layout.broker / "mosquitto.conf", port))


@pytest.fixture
def mosquitto(quiet_town: Town) -> Iterator[Mosquitto]:
    """The town's broker, running."""
    quiet_town.broker.start()
    yield quiet_town.broker
    quiet_town.broker.stop()


@pytest.fixture
def town(quiet_town: Town, mosquitto: Mosquitto) -> Town:
    """A town whose broker runs."""
    assert mosquitto is quiet_town.broker
    return quiet_town


@pytest.fixture
def start_central(quiet_town: Town) -> Iterator[Callable[[], CentralStandIn]]:
    """Starts a stand-in for central; the one before is closed, for they share a certificate."""
    started: list[CentralStandIn] = []

    def start() -> CentralStandIn:
        if started:
            started[-1].close()
        started.append(CentralStandIn(quiet_town.fleet, quiet_town.broker.port))
        return started[-1]

    yield start
    if started:
        started[-1].close()


@pytest.fixture
def start_node(quiet_town: Town) -> Iterator[Callable[[str], NodeProcess]]:
    """Starts nodes by their id; all are ended at the end."""
    started: list[NodeProcess] = []

    def start(node: str) -> NodeProcess:
        started.append(NodeProcess(quiet_town.folder(node)))
        return started[-1]

    yield start
    for process in started:
        process.kill()
