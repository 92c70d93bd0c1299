"""``kill -9`` at each file operation and each command of an installation, then again: it ends as if nothing had been.

A child does it once and copies all files before each of its operations: what a kill then leaves. Others do it again and
are really killed, each tenth time: that leaves the same.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from installation import node_places, places
from installation.files import read
from installation.install import Order, install
from installation.machine import Answer
from installation.node_install import install_node
from installation.node_pack import read_node_pack
from installation.pack import read_pack
from installation.places import Parts
from installation.services import Service
from installation.steps import settle_pairs
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet
from runtime.key_pair import PairError, check_pair
from tests.installation.conftest import BareMachine

pytestmark = pytest.mark.one_python
EVENTS = frozenset({"open", "os.rename", "os.mkdir"})
"""Python's audit events of operations on files after which something else is there; to open for reading is none."""


class RunningMachine(BareMachine):
    """It also knows with which files each of its services was last started or told to read them, as a real one does."""

    def __init__(self, root: Path, services: Iterable[Service]) -> None:
        super().__init__(root)
        self.services = {service.name: service for service in services}
        self.running = root.with_name(f"{root.name}.running")
        self.running.mkdir(exist_ok=True)
        self.before_each: Callable[[], object] = lambda: None
        """Called before each operation."""

    def run(self, *command: str) -> Answer:
        self.before_each()
        match command:
            case ["systemctl", "is-active", name]:
                return Answer(0 if (self.running / name).exists() else 3, "")
            case ["systemctl", *_, "start" | "restart" | "reload", name]:
                (self.running / name).write_text(self.read_by(name))
        return super().run(*command)

    def read_by(self, name: str) -> str:
        """The files that a service reads, with their contents."""
        service = self.services[name]
        return "".join(
            f"{name} {path.read_text(errors='replace')}"
            for name, path in sorted(files_of(self))
            if service.act(frozenset({name}))
        )

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        """Of Python's."""
        is_ours = event in EVENTS and str(self.root) + "/" in f"{arguments[0]}/"
        if event == "open":
            is_ours = is_ours and bool(int(str(arguments[2] or 0)) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if is_ours:
            self.before_each()


def in_a_child(machine: RunningMachine, work: Callable[[RunningMachine], None]) -> bool:
    """Do the work there, seen by ``before_each``; returns whether it came to its end, and was not killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            sys.addaudithook(machine.audit)
            work(machine)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}, status
    return status == 0


def copy_before_each(machine: RunningMachine, folder: Path) -> None:
    """Keep it as it is before each operation: the first as ``0`` in that folder."""
    turns = itertools.count()
    machine.before_each = lambda: copy_to(folder / str(next(turns)), machine)


def kill_before(machine: RunningMachine, turn: int) -> None:
    """End its process there."""
    turns = itertools.count()

    def before_each() -> None:
        if next(turns) == turn:
            os.kill(os.getpid(), signal.SIGKILL)

    machine.before_each = before_each


def copy_to(root: Path, machine: RunningMachine) -> RunningMachine:
    """One that is like it, below that folder."""
    shutil.copytree(machine.root, root)
    shutil.copytree(machine.running, root.with_name(f"{root.name}.running"))
    return RunningMachine(root, machine.services.values())


def files_of(machine: RunningMachine) -> Iterator[tuple[str, Path]]:
    """All of them: what the machine calls each, and where it lies. By names: there are thousands of looks."""
    root = str(machine.root)
    folders = [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file():
                    yield entry.path.removeprefix(root), Path(entry.path)


def state(machine: RunningMachine) -> dict[str, tuple[int, bytes]]:
    return {name: (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for name, path in files_of(machine)}


def ends_the_same_whenever_killed(
    before: RunningMachine, work: Callable[[RunningMachine], None], folder: Path, at_least: int
) -> None:
    """Of a machine that is like ``before``."""
    whole = copy_to(folder / "whole", before)
    copy_before_each(whole, folder)
    assert in_a_child(whole, work)
    wanted = state(whole)
    turn, halves = 0, list[str]()
    while (folder / str(turn)).exists():
        machine = RunningMachine(folder / str(turn), before.services.values())
        if turn % 10 == 0:
            assert really_left(before, work, turn, folder) == in_any_run(state(machine)), turn
        if turn % 2:  # As the programs do before they start, and the broker's unit for it.
            settle_pairs(machine, (*places.PAIRS, *node_places.PAIRS))
            halves += halves_in(machine)
        work(machine)
        assert wanted == state(machine), turn
        assert [] == [
            name for name in machine.services if (machine.running / name).read_text() != machine.read_by(name)
        ]
        remove(machine)
        turn += 1
    assert turn >= at_least
    assert [] == halves


def really_left(
    before: RunningMachine, work: Callable[[RunningMachine], None], turn: int, folder: Path
) -> list[tuple[str, tuple[int, bytes]]]:
    """What is there after a kill before that operation."""
    machine = copy_to(folder / "killed", before)
    kill_before(machine, turn)
    assert not in_a_child(machine, work)
    left = in_any_run(state(machine))
    remove(machine)
    return left


def in_any_run(files: dict[str, tuple[int, bytes]]) -> list[tuple[str, tuple[int, bytes]]]:
    """Without what is drawn by lot in the names of files that are being written."""
    return sorted((re.sub(r"\.[0-9a-f]{8}$", "", name), file) for name, file in files.items())


def remove(machine: RunningMachine) -> None:
    for done in (machine.root, machine.running):
        shutil.rmtree(done)


def halves_in(machine: RunningMachine) -> list[str]:
    """Certificates that lie there with another key, or without one; or a key alone."""
    found = []
    for stem in (*places.PAIRS, *node_places.PAIRS):
        pem, key = (read(machine.path(f"{stem}.{end}")) for end in ("pem", "key"))
        if (pem, key) != (None, None):
            try:
                check_pair(pem or b"", key or b"")
            except PairError:
                found.append(stem)
    return found


@pytest.fixture
def bare(machine: BareMachine, monkeypatch: pytest.MonkeyPatch) -> BareMachine:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # Who is killed loses nothing by it.
    machine.path(node_places.STATE).mkdir(parents=True)
    return machine


@pytest.mark.parametrize("before", ["bare", "running"])
def test_central_ends_the_same_whenever_it_was_killed(
    bare: BareMachine, fleet: Fleet, town: Path, tmp_path: Path, before: str
) -> None:
    machine = RunningMachine(bare.root, places.services(Parts()))
    if before == "running":
        install(machine, read_pack(town), lambda _: None, Order())
        fleet.add("Corner Shop", "High St", ["hart"])
        fleet.renew("broker")
        fleet.renew("central")
    pack = read_pack(town)

    ends_the_same_whenever_killed(
        machine, lambda it: install(it, pack, lambda _: None, Order()), tmp_path, {"bare": 70, "running": 30}[before]
    )


def test_enrolment_service_ends_the_same_whenever_it_was_killed(
    bare: BareMachine, fleet: Fleet, town: Path, tmp_path: Path
) -> None:
    """It comes to a machine where central runs already."""
    machine = RunningMachine(bare.root, places.services(Parts(enrolment=True)))
    install(machine, read_pack(town), lambda _: None, Order())
    open_enrolment(fleet.folder, ["192.0.2.10"])
    pack = read_pack(town)

    ends_the_same_whenever_killed(machine, lambda it: install(it, pack, lambda _: None, Order()), tmp_path, 50)


@pytest.mark.parametrize("before", ["bare", "running"])
def test_node_ends_the_same_whenever_it_was_killed(
    bare: BareMachine, fleet: Fleet, tmp_path: Path, before: str
) -> None:
    machine = RunningMachine(bare.root, node_places.SERVICES)
    node = fleet.add("Corner Shop", "High St", ["hart"], profile="fake").node
    if before == "running":
        install_node(machine, read_node_pack(fleet.node_folder(node)), lambda _: None)
        fleet.renew(node)
    given = read_node_pack(fleet.node_folder(node))

    ends_the_same_whenever_killed(
        machine, lambda it: install_node(it, given, lambda _: None), tmp_path, {"bare": 40, "running": 15}[before]
    )
