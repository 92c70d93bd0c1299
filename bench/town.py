"""A measured town: its fleet folder, a real Mosquitto over mutual TLS, and the programs under measurement."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.crowd import Presser
from demo.ports import claim_ports
from provisioning.fleet import Fleet, NewNode
from wire.frames import Alert, encode
from wire.ids import parse_node
from wire.kinds import AlertKind
from wire.signing import SigningKey

SCHEME: Final = "hart"
START_DEADLINE_S: Final = 60.0


def free_port() -> int:
    """On loopback, and nobody else's while this process runs."""
    return claim_ports(1)[0]


def make_fleet(folder: Path, nodes: int) -> Fleet:
    """A fleet of ``nodes`` premises in one scheme, on free ports of this machine."""
    fleet = Fleet.init(folder, schemes={SCHEME: "HART"}, port=free_port(), web_port=free_port())
    fleet.add_all(
        [NewNode(premises=f"Shop {at}", place="High St", schemes=(SCHEME,), profile="fake") for at in range(nodes)]
    )
    return fleet


@contextmanager
def broker(fleet: Fleet) -> Iterator[subprocess.Popen[bytes]]:
    """Mosquitto with the fleet's own configuration, once it listens."""
    process = subprocess.Popen(
        ["mosquitto", "-c", str(fleet.layout.broker / "mosquitto.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline_s = time.monotonic() + START_DEADLINE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", fleet.record.broker.port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline_s:
                    raise
                time.sleep(0.05)
        yield process
    finally:
        _end(process)


def output(*arguments: str) -> str:
    """What one of our Python programs prints that does one thing and ends well."""
    return subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def program(
    *arguments: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """One of our Python programs, its facts on a pipe and its log in a file; ``environment`` is added to ours."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield process
    finally:
        _end(process)


@contextmanager
def central(fleet: Fleet, log: Path) -> Iterator[subprocess.Popen[str]]:
    """Central, once it listens."""
    config = fleet.layout.central / "central.toml"
    with program("-m", "watchlink.cli", "central", "--config", str(config), log=log) as process:
        wait_for(process, lambda fact: fact["fact"] == "listening")
        yield process


def put_before_ordinary_programs(*pids: int) -> None:
    """Every thread, as the units of broker and central have it (ADR 0024); those that are started later inherit it.

    Raises:
        PermissionError: only root may.
    """
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(1))


@contextmanager
def reference(fleet: Fleet, database: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    """The reference server, once it is subscribed."""
    database.unlink(missing_ok=True)
    port = str(fleet.record.broker.port)
    with program(
        "-m", "bench.reference_server", "--port", port, "--central-folder", str(fleet.layout.central),
        "--database", str(database), log=log,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def wait_for(process: subprocess.Popen[str], is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first fact that ``is_wanted`` accepts.

    Raises:
        EOFError: the program ended first.
    """
    assert process.stdout is not None
    for line in process.stdout:
        fact: dict[str, Any] = json.loads(line)
        if is_wanted(fact):
            return fact
    raise EOFError(f"the program ended with status {process.wait()}; see its log")


def pressers(fleet: Fleet, payload_of: Callable[[Path, str, int], bytes], at_s: int) -> list[Presser]:
    """The fleet as a crowd; ``payload_of(node folder, node text, at_s)`` makes each one's payload."""
    return [
        Presser(
            parse_node(record.node),
            SCHEME,
            fleet.node_folder(record.node),
            payload_of(fleet.node_folder(record.node), record.node, at_s),
        )
        for record in fleet.nodes
    ]


def signed_alert(folder: Path, node: str, at_s: int, counter: int = 1) -> bytes:
    """A node's assist, as it publishes it."""
    key = SigningKey(bytes.fromhex((folder / "signing.key").read_text().strip()))
    return encode(Alert(parse_node(node), counter, at_s, AlertKind.ASSIST, counter, (1,)), key)


def unsigned_press(_folder: Path, node: str, _at_s: int) -> bytes:
    """The reference's payload: as long as an alert's fields, without a signature."""
    return node.encode().ljust(21, b".")


def memory_kb(pid: int, field: str = "VmRSS") -> int:
    """A memory field of a process's ``/proc`` status, in kB: by default the resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise LookupError(field)


def cpu_s(pid: int) -> float:
    """Processor time used so far, user and system, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _end(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()
