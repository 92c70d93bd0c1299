"""The program as a process and without one: its files, its facts, its end, and a card that cannot be read."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from msgspec.structs import replace

from gallery.app import CARD, SILENT_S, STATUS_FAILED, GalleryApp, status_of
from gallery.config import load_configuration
from gallery.core.readable import Why
from gallery.page.ports import SchemeGallery, Snapshot
from gallery.store.gallery_store import GalleryStore
from runtime.config import ConfigError
from runtime.logs import FactLog
from runtime.service import Service
from tests.support.asking_town import HART, SHOP, TOWN, AskingTown, Entry, PortThread, port_thread, sealing_key
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_online import threads
from tests.support.gallery_program import write_gallery
from wire.gallery_views import no_views


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    folder = tmp_path / "town"
    folder.mkdir()
    return AskingTown(folder)


@pytest.fixture
def port(town: AskingTown) -> Iterator[PortThread]:
    with port_thread(town) as port:
        yield port


def until(lines: IO[str], fact: str, **wanted: object) -> dict[str, Any]:
    """The first such fact."""
    for line in lines:
        told: dict[str, Any] = json.loads(line)
        if told["fact"] == fact and wanted.items() <= told.items():
            return told
    raise AssertionError(f"it ended without telling {fact}")


@pytest.mark.integration
def test_program_shows_what_comes_and_after_a_restart_what_it_holds(
    town: AskingTown, port: PortThread, tmp_path: Path
) -> None:
    port.publish(HART, [Entry(17, name="Nora Nobody"), Entry(18)])
    config = write_gallery(tmp_path / "unit", town, port.port, has_directory=False)
    for _ in range(2):
        command = (sys.executable, "-m", "watchlink.cli", "gallery", "--config", str(config))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
            try:
                assert program.stdout is not None
                assert program.stderr is not None
                assert HART == until(program.stdout, "gallery_readable", people=2)["scheme"]
                program.terminate()

                assert 0 == program.wait(DEADLINE_S)
                assert "Nobody" not in program.stdout.read() + program.stderr.read()
            finally:
                program.kill()
        # The second run has no office, and the machine has not booted: the time is still proven.
        town.strike(SHOP)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("gallery.toml", b"[ofice]\n", "unknown key ofice; did you mean 'office'?"),
        ("sealing.key", b"zz", "identity.sealing_key_file"),
        ("authority.pub", b"00" * 32, "not an Ed25519 public key"),
        ("directory.json", b"{}", "no directory of this town's authority"),
    ],
)
def test_program_says_which_of_its_files_cannot_be_used(
    town: AskingTown, tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    config = write_gallery(tmp_path / "unit", town, 1)
    (config.parent / name).write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        GalleryApp(load_configuration(config), FactLog(io.StringIO()), Service())

    assert words in str(caught.value)


def test_card_that_cannot_be_read_ends_the_run_and_says_what_to_do(
    town: AskingTown, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = write_gallery(tmp_path / "unit", town, 1)
    app = GalleryApp(load_configuration(config), FactLog(io.StringIO()), Service())
    other = GalleryStore(tmp_path / "unit/state" / CARD, sealing_key(SHOP))
    other.started("boot", no_views(TOWN, SHOP))

    assert STATUS_FAILED == app.run()
    assert "tried again by itself; if it stays so, replace it" in caplog.text
    assert [] == threads()
    other.close()


def test_status_says_numbers_and_no_name() -> None:
    galleries = (SchemeGallery(1, "HART", coming=3), SchemeGallery(2, "Pub Watch", Why.STARTING))
    hart = "HART: 0 shown, 3 on their way"

    assert f"{hart}; Pub Watch: The gallery is starting." == status_of(Snapshot("", galleries, heard_at_s=1, now_s=1))
    assert "This gallery is no longer shown here." == status_of(Snapshot("", heard_at_s=1, now_s=1))


def test_status_says_that_the_office_does_not_answer() -> None:
    hart = SchemeGallery(1, "HART")
    unknown = Snapshot("", (replace(hart, off=Why.CLOCK_UNKNOWN),), heard_at_s=1, now_s=1)
    for snapshot, says in (
        (Snapshot(""), "No contact with the office yet. There is no gallery on this unit yet."),
        (Snapshot("", (hart,), heard_at_s=1, now_s=SILENT_S), "HART: 0 shown, 0 on their way"),
        (
            Snapshot("", (hart,), heard_at_s=1, now_s=SILENT_S + 1),
            "No contact with the office any more. HART: 0 shown, 0 on their way",
        ),
        (
            unknown,
            "No contact with the office any more. HART: The gallery is off: this unit does not know what day it is.",
        ),
    ):
        assert says == status_of(snapshot)
