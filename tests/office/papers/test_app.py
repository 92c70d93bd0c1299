"""The program that makes PDFs, as it runs: whatever happens to one PDF, the page is told and the next one is made."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from office.papers import line
from office.papers.asking import NoPdfError, pdf_of
from tests.office.papers.conftest import paper
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.office_program import clean_environment

FAILED = "could not be made"
DIED = "ran out of memory or was ended"


class Program:
    """A running program and its socket."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.socket_file, self.log = folder / "papers.sock", folder / "papers.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, str(self.socket_file)], stdout=log, stderr=log, env=clean_environment()
            )
        wait_until(self._answers, "the program listens")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as asking:
            return asking.connect_ex(str(self.socket_file)) == 0

    def stop(self) -> int:
        """Its exit status."""
        self.process.terminate()
        return self.process.wait(DEADLINE_S)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One for all tests: it goes on, whatever they do to it."""
    program = Program(tmp_path_factory.mktemp("papers"), "-m", "tests.office.papers.planted_papers")
    yield program
    assert 0 == program.stop()


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("hang", "took too long"),
        ("grow", FAILED),
        ("die", DIED),
        ("spin", DIED),
        ("fault", FAILED),
        ("quote", FAILED),
        ("write", FAILED),
        ("huge", DIED),
    ],
)
def test_page_is_told_of_a_pdf_that_fails_and_gets_the_next_one(planted: Program, title: str, told: str) -> None:
    with pytest.raises(NoPdfError, match=told if title != "spin" else "took too long|ran out"):
        pdf_of(paper(title=title), planted.socket_file, DEADLINE_S)

    assert b"%PDF-HART-0042" == pdf_of(paper(), planted.socket_file, DEADLINE_S)
    assert "Nobody" not in planted.log.read_text()
    assert "x" not in [file.read_text() for file in planted.socket_file.parent.glob("*.written")]


def test_log_says_what_a_check_of_tags_found(planted: Program) -> None:
    with pytest.raises(NoPdfError):
        pdf_of(paper(title="fault"), planted.socket_file, DEADLINE_S)

    assert "a picture without words for it" in planted.log.read_text()


@pytest.mark.parametrize(
    "said",
    [b"", b"O", b"GET / HTTP/1.1\r\n\r\n", b"O" + b"\xff" * 4, b"O\0\0\0\x02{}", b"O\0\0\0\x09half"],
)
def test_nonsense_and_half_an_order_hurt_nobody(planted: Program, said: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(planted.socket_file))
        asking.sendall(said)
        asking.shutdown(socket.SHUT_WR)

    assert b"%PDF-HART-0042" == pdf_of(paper(), planted.socket_file, DEADLINE_S)


def test_page_that_has_gone_hurts_nobody(planted: Program) -> None:
    with pytest.raises(NoPdfError):
        pdf_of(paper(title="hang"), planted.socket_file, wait_s=0.2)

    assert b"%PDF-HART-0042" == pdf_of(paper(), planted.socket_file, DEADLINE_S)


def test_pages_are_told_when_the_program_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NoPdfError, match="does not answer"):
        pdf_of(paper(), tmp_path / "papers.sock")


def test_pages_are_told_when_the_program_hangs(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(tmp_path / "papers.sock"))
        hung.listen()

        with pytest.raises(NoPdfError, match="does not answer"):
            pdf_of(paper(), tmp_path / "papers.sock", wait_s=0.1)


@pytest.mark.parametrize("answer", [b"", b"X\0\0\0\x00", b"P\0\0\x01\x00%PDF-half", b"P\xff\xff\xff\xff"])
def test_half_an_answer_is_no_pdf(tmp_path: Path, answer: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)

        with pytest.raises(line.LineError):
            line.receive(ours, line.PDF + line.REFUSAL, line.PDF_BYTES_MAX, time.monotonic() + DEADLINE_S)


def test_line_carries_what_was_said_in_parts() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ends_s = time.monotonic() + DEADLINE_S
        line.send(theirs, line.REFUSAL, "zu spät".encode(), ends_s)

        assert (line.REFUSAL, "zu spät".encode()) == line.receive(ours, line.PDF + line.REFUSAL, 99, ends_s)
        with pytest.raises(line.LineError, match="too long"):
            line.receive(ours, line.PDF, 99, time.monotonic())


@pytest.mark.integration
def test_program_draws_a_real_notice_twice_the_same_even_where_a_socket_was_left(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "papers.sock"))
    program = Program(tmp_path, "-m", "watchlink.cli", "office", "papers", "--socket")
    try:
        first, second = (pdf_of(paper(), program.socket_file) for _ in range(2))
    finally:
        status = program.stop()

    assert first.startswith(b"%PDF-")
    assert not {"weasyprint", "pikepdf", "fontTools"} & set(re.findall(r'"name": "(\w+)', program.log.read_text()))
    assert first == second
    assert (0, False) == (status, program.socket_file.exists())


def test_program_says_that_it_cannot_listen(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "watchlink.cli", "office", "papers", "--socket", str(tmp_path / "no" / "folder")],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S * 4,
        check=False,
        env=clean_environment(),
    )

    assert 1 == done.returncode
    assert "No such file" in done.stderr
