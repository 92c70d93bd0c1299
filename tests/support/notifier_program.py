"""The notifier as a real process, ordered over its socket as central does."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo.stand_in_phones import Phone, StandInPush
from provisioning.fleet import Fleet, NewNode
from runtime.unix_address import socket_address
from tests.support.fleet_broker import DEADLINE_S, free_port, running_broker, wait_until
from wire.notices import Delivered, Failed, Hello, Notice, NotifierLine, Occasion, decode_reported, encode_notice_line

MAIN = "import sys; from watchlink.cli import main; sys.exit(main(['notifier', '--config', sys.argv[1]]))"


def write_notifier(folder: Path, service: StandInPush, more: str = "") -> Path:
    """Its configuration, with the stand-in's push service allowed."""
    config = folder / "notifier.toml"
    config.write_text(
        '[central]\nsocket = "notifier.socket"\npage = "https://central.example/"\n'
        f'[push]\ncontact = "mailto:engineer@town.example"\nca_file = "{service.ca_file}"\n'
        f'allowed_networks = ["127.0.0.0/8"]\n{more}'
    )
    return config


@contextmanager
def fleet_beside_notifier(folder: Path, *nodes: NewNode) -> Iterator[Fleet]:
    """A town with a broker, whose central orders the notifier of this folder."""
    fleet = Fleet.init(folder / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    fleet.add_all(nodes)
    with (fleet.layout.central / "central.toml").open("a") as file:
        file.write(f'[notifier]\nsocket = "{folder / "notifier.socket"}"\n')
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        yield fleet


@contextmanager
def notifier_beside_central(config: Path) -> Iterator[NotifierProgram]:
    """A notifier that central alone orders."""
    notifier = NotifierProgram(config)
    notifier.central.close()
    try:
        yield notifier
    finally:
        notifier.kill()


def push_to(phone: Phone, *, account: int = 7, priority: int = 1, occasion: Occasion = "alert", **more: Any) -> Notice:  # noqa: ANN401 - as the field is
    """A new order to tell this phone."""
    fields = {"reference": "Zk3vQ0p1", "valid_s": 60, **more}
    return Notice(
        request=secrets.token_hex(16),
        account=account,
        way="push",
        subscription=phone.subscription,
        priority=priority,
        occasion=occasion,
        **fields,
    )


def text_to(number: str, **more: Any) -> Notice:  # noqa: ANN401 - as the field is
    """A new order to send a text message."""
    fields = {"account": 7, "priority": 1, "occasion": "alert", "reference": "Zk3vQ0p1", "valid_s": 60, **more}
    return Notice(request=secrets.token_hex(16), way="sms", to=number, **fields)


def mail_to(address: str, **more: Any) -> Notice:  # noqa: ANN401 - as the field is
    """A new order to send an e-mail."""
    fields = {"account": 7, "priority": 1, "occasion": "alert", "reference": "Zk3vQ0p1", "valid_s": 60, **more}
    return Notice(request=secrets.token_hex(16), way="email", to=address, **fields)


class NotifierProgram:
    """A running notifier, and one connection to it. End it with :meth:`kill` or :meth:`stop`."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.said: list[NotifierLine] = []
        self.facts: list[dict[str, Any]] = []
        self.log = config.with_name("notifier.log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", MAIN, str(config)], stdout=subprocess.PIPE, stderr=log
            )
        self._reading = threading.Thread(target=self._read_facts)
        self._reading.start()
        wait_until(lambda: bool(self.facts) or not self._reading.is_alive(), "a listening notifier")
        assert self.facts, self.log.read_text()
        self.central = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.connect()

    def connect(self) -> None:
        """As central does, anew; the connection before is closed."""
        self.central.close()
        self.said.clear()
        self.central = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with socket_address(self.config.with_name("notifier.socket")) as address:
            self.central.connect(address)
        threading.Thread(target=self._read_lines, args=(self.central,), daemon=True).start()
        wait_until(lambda: any(isinstance(line, Hello) for line in self.said), "hello")

    def order(self, *notices: Notice) -> None:
        """Tell these people."""
        self.central.sendall(b"".join(encode_notice_line(notice) for notice in notices))

    def result(self, notice: Notice) -> Delivered | Failed:
        """What became of it."""

        def found() -> list[Delivered | Failed]:
            return [
                line for line in [*self.said] if isinstance(line, Delivered | Failed) and line.request == notice.request
            ]

        wait_until(lambda: bool(found()), f"the result of {notice}; {self.said[-3:]}")
        return found()[0]

    @property
    def rss_mb(self) -> float:
        """What it takes of memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1_024

    def kill(self) -> None:
        """As the power does."""
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """As systemd does; its exit status."""
        self.process.terminate()
        return self._wait()

    def _wait(self) -> int:
        status = self.process.wait(DEADLINE_S)
        self.central.close()
        self._reading.join(DEADLINE_S)
        return status

    def _read_facts(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.facts.append(json.loads(line))
        self.process.wait()  # Else one that does not start is left behind by whoever expects that.

    def _read_lines(self, central: socket.socket) -> None:
        try:
            with central.makefile("rb") as lines:
                for data in lines:
                    line = decode_reported(data)
                    assert line is not None
                    self.said.append(line)
        except OSError:
            pass
