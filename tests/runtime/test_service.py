"""systemd's protocol (F3), heard on a real socket."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.service import Service


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield heard


def close(service: Service) -> None:
    if service._notifier:
        service._notifier.socket.close()


def test_service_says_ready_status_and_stopping(systemd: socket.socket) -> None:
    service = Service()
    service.ready()
    service.status("armed – über\nall")
    service.stopping()
    close(service)

    assert [b"READY=1", b"STATUS=armed ? ?ber all", b"STOPPING=1"] == [systemd.recv(200) for _ in range(3)]


def test_service_feeds_the_watchdog_no_oftener_than_needed(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "3600000000")
    service = Service()
    for _ in range(100):
        service.watchdog()
    service.stopping()
    close(service)

    assert [b"WATCHDOG=1", b"STOPPING=1"] == [systemd.recv(200) for _ in range(2)]
    assert service.watchdog_interval_ms == 1_800_000


@pytest.mark.parametrize(
    "environment", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}]
)
def test_service_has_no_watchdog_unless_it_is_meant(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID", "NOTIFY_SOCKET"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert os.getpid() != 1
    service = Service()
    service.watchdog()

    assert service.watchdog_interval_ms is None


def test_service_without_systemd_does_nothing_and_leaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings are errors here: a forgotten socket would be one."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    service = Service()
    for call in (service.ready, service.stopping, service.watchdog):
        call()
    service.status("x")
    assert threading.active_count() >= 1


@pytest.mark.parametrize(
    ("said", "folder"), [("", None), ("/run/a", Path("/run/a")), ("/run/a:/run/b", Path("/run/a"))]
)
def test_service_knows_its_own_folder_in_memory(
    monkeypatch: pytest.MonkeyPatch, said: str, folder: Path | None
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", said)

    assert folder == Service().runtime_dir
