"""``watchlink node unkey``: the line off, whatever the rest of the node and its configuration are like (N10, F3)."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from node import cli
from node.hw.radio import unkey
from node.hw.radio.ptt import PttSettings
from node.hw.radio.unkey import read_settings

REPOSITORY: Final = Path(__file__).parents[4]
OFF: Final = bytes((0, 0, 0, 4, 0))


@pytest.fixture(autouse=True)
def _busy_machine_is_no_device_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unkey, "UNKEY_S", 600)


@pytest.fixture
def hidraw() -> Iterator[Path]:
    """In a folder with a short name: what is said of it has a limit, and the advice comes last."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "hidraw"
        path.touch()
        yield path


@pytest.fixture
def config(tmp_path: Path, hidraw: Path) -> Path:
    """A node.toml with nothing in it but the radio: no identity, no keys, no broker."""
    path = tmp_path / "node.toml"
    path.write_text(f'[radio]\ndriver = "sound"\n[radio.ptt]\nmethod = "cm108"\nhidraw = "{hidraw}"\n')
    return path


def test_unkey_puts_the_line_off_and_says_so(config: Path, hidraw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["unkey", "--config", str(config)])

    assert 0 == status
    assert OFF == hidraw.read_bytes()[-5:]
    assert f"transmit key off: pin 3 of {hidraw}\n" == capsys.readouterr().out


def test_unkey_says_what_failed(config: Path, hidraw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hidraw.unlink()
    status = cli.main(["unkey", "--config", str(config)])
    said = capsys.readouterr().err

    assert 1 == status
    assert "may be ON" in said
    assert "is it plugged in" in said


def test_unkey_puts_every_other_line_off_if_the_one_in_use_is_gone(
    config: Path, hidraw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings from the fleet changed the line, and the node was killed while it still keyed the other."""
    document = b'{"ptt":{"method":"cm108","hidraw":"/dev/not-there","cm108_pin":3}}'
    sealed = json.dumps({"document": base64.b64encode(document).decode()}).encode()
    kept = config.parent / "state" / unkey.SETTINGS
    kept.parent.mkdir()
    kept.write_text(json.dumps({"good": {"data": base64.b64encode(sealed).decode()}}))

    status = cli.main(["unkey", "--config", str(config)])

    assert (1, True) == (status, "/dev/not-there" in capsys.readouterr().err)
    assert OFF == hidraw.read_bytes()[-5:]


def test_unkey_without_its_file_is_not_sure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["unkey", "--config", str(tmp_path / "node.toml")])

    assert 1 == status
    assert "node.toml: cannot be read: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", '[radio]\ndriver = "none"\n', '[radio]\ndriver = "kiss-tnc"\n', "radio = 5\n"])
def test_unkey_touches_nothing_where_no_line_is_configured(text: str, tmp_path: Path) -> None:
    """GPIO 12 may be anything's."""
    (tmp_path / "node.toml").write_text(text)

    assert read_settings(text) is None
    assert 0 == cli.main(["unkey", "--config", str(tmp_path / "node.toml")])


def test_line_of_a_radio_that_was_switched_off_in_the_file_is_still_put_off() -> None:
    """Somebody set the driver to none while the line was on."""
    assert PttSettings(gpio=20) == read_settings('[radio]\ndriver = "none"\n[radio.ptt]\ngpio = 20\n')


@pytest.mark.parametrize(
    "text",
    [
        'colour = \n[radio]\ndriver = "sound"\n[radio.ptt]\nmethod = "serial-rts"\nserial = "/dev/ttyS1"\n',
        'a = 5 5\n [ radio.ptt ] # key\n\tmethod = "serial-rts"\n serial = "/dev/ttyS1"\n[mqtt]\nserial = "no"\n',
        '[radio.ptt]\nmethod = "serial-rts"\nserial = "/dev/ttyS1"\ngpio = twelve\n[identity\n',
        '[radio.ptt]\nmethod = "serial-rts"\nserial = "/dev/ttyS1"\n[radio.ptt]\n',
        '[radio.ptt]\nmethod = "serial-rts"\nserial = "/dev/ttyS1"\ngpio = "12"\ncm108_pin = true\nno_such = 1\n',
    ],
)
def test_broken_rest_of_the_file_changes_nothing(text: str) -> None:
    assert PttSettings(method="serial-rts", serial="/dev/ttyS1") == read_settings(text)


def test_file_that_is_no_text_is_survived(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_bytes(b"\xff\xfe\x00" * 40 + b'\n[radio.ptt]\nmethod = "vox"\n')

    assert 1 == cli.main(["unkey", "--config", str(path)])


def test_unkey_gives_up_on_a_device_that_hangs(
    config: Path, hidraw: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It runs before the node starts, whose buttons must work whatever the radio does."""
    hidraw.unlink()
    os.mkfifo(hidraw)  # the opening waits for a reader, who never comes
    monkeypatch.setattr(unkey, "UNKEY_S", 0.05)
    status = cli.main(["unkey", "--config", str(config)])

    assert 1 == status
    assert "may be ON: its device does not answer" in capsys.readouterr().err


def test_unkey_loads_nothing_heavy(config: Path) -> None:
    """It stands between a crash and a silent transmitter: what it imports is time on the air."""
    program = "import sys; from watchlink.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, "node", "unkey", "--config", str(config)],
        capture_output=True,
        check=True,
        cwd=REPOSITORY,
        text=True,
    )

    heavy = {"gpiozero", "serial", "cryptography", "sqlite3", "paho", "PIL", "asyncio", "msgspec"}

    assert not heavy & set(done.stdout.split())
