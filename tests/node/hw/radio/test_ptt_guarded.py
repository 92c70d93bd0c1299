"""A real guard process and programs that die, stop, spin and stumble: the line ends off each time (N10, F3).

The line is a plain file that records a CM108's reports.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from node.hw.radio import ptt_guarded
from node.hw.radio.ptt import PttError, PttSettings
from node.hw.radio.ptt_guarded import GuardedPtt, guard_command
from node.net.radio.ports import PttPort
from tests.support.frozen_process import freeze

pytestmark = pytest.mark.integration

OFF: Final = bytes((0, 0, 0, 4, 0))
ON: Final = bytes((0, 0, 4, 4, 0))
PATIENCE_S: Final = 60
IMPATIENCE_S: Final = 0.3
"""For a guard that is known to be hung."""
REPOSITORY: Final = Path(__file__).parents[4]

KEYING_PROGRAM: Final = """\
import sys, time
from node.hw.radio.ptt import PttSettings
from node.hw.radio.ptt_guarded import GuardedPtt
ptt = GuardedPtt(PttSettings(method="cm108", hidraw=sys.argv[1]), answer_s=60, start_s=60)
ptt.key(int(sys.argv[2]))
print(ptt.guard_pid, flush=True)
while sys.argv[3] == "spin":
    pass
time.sleep(600)
"""
"""A node mid-over, as far as its key goes."""


@pytest.fixture
def hidraw() -> Iterator[Path]:
    """In a folder with a short name: what is said of it has a limit, and the advice comes last."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "hidraw"
        path.touch()
        yield path


@pytest.fixture
def settings(hidraw: Path) -> PttSettings:
    return PttSettings(method="cm108", hidraw=str(hidraw))


@pytest.fixture
def ptt(settings: PttSettings) -> Iterator[GuardedPtt]:
    it = GuardedPtt(settings, answer_s=PATIENCE_S, start_s=PATIENCE_S)
    yield it
    it.close()


def reports(hidraw: Path) -> list[bytes]:
    data = hidraw.read_bytes()
    return [data[i : i + 5] for i in range(0, len(data), 5)]


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_running(pid: int) -> bool:
    try:
        # An orphan's new parent may be slow to bury it.
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


class KeyingProgram:
    """The program, keyed, and its guard."""

    def __init__(self, hidraw: Path, max_ms: int, then: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", KEYING_PROGRAM, str(hidraw), str(max_ms), then],
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            text=True,
        )
        assert self.process.stdout is not None
        self.guard_pid = int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        wait_until(lambda: not is_running(self.guard_pid))


@pytest.fixture
def keyed(hidraw: Path) -> Iterator[Callable[..., KeyingProgram]]:
    started: list[KeyingProgram] = []

    def start(max_ms: int = 30_000, then: str = "sleep") -> KeyingProgram:
        started.append(KeyingProgram(hidraw, max_ms, then))
        assert [OFF, ON] == reports(hidraw)[:2]
        return started[-1]

    yield start
    for program in started:
        program.close()


def test_guarded_is_the_port_that_the_modem_wants(ptt: GuardedPtt, hidraw: Path) -> None:
    port: PttPort = ptt

    port.key(30_000)
    assert ON == reports(hidraw)[-1]
    port.unkey()
    assert OFF == reports(hidraw)[-1]


def test_line_is_off_before_anything_is_asked(ptt: GuardedPtt, hidraw: Path) -> None:
    wait_until(lambda: ptt.guard_pid is not None)

    assert [OFF] == reports(hidraw)


def test_key_returns_when_the_line_has_moved(ptt: GuardedPtt, hidraw: Path) -> None:
    ptt.key(30_000)

    assert [OFF, ON] == reports(hidraw)


def test_unkey_returns_when_the_line_has_moved(ptt: GuardedPtt, hidraw: Path) -> None:
    ptt.key(30_000)
    ptt.unkey()

    assert [OFF, ON, OFF] == reports(hidraw)


def test_close_puts_off_and_ends_the_guard(ptt: GuardedPtt, hidraw: Path) -> None:
    ptt.key(30_000)
    pid = ptt.guard_pid
    ptt.close()

    assert pid is not None
    assert [OFF, ON, OFF] == reports(hidraw)
    assert not is_running(pid)
    with pytest.raises(PttError, match="closed"):
        ptt.key(1)


def test_guard_lets_go_by_itself_when_time_is_up(ptt: GuardedPtt, hidraw: Path) -> None:
    ptt.key(1)

    wait_until(lambda: OFF == reports(hidraw)[-1])


def test_program_that_is_killed_lets_go(keyed: Callable[..., KeyingProgram], hidraw: Path) -> None:
    program = keyed()
    program.process.kill()

    wait_until(lambda: OFF == reports(hidraw)[-1])
    wait_until(lambda: not is_running(program.guard_pid))


def test_program_that_is_stopped_cannot_keep_the_key_down(keyed: Callable[..., KeyingProgram], hidraw: Path) -> None:
    program = keyed(1_500)
    freeze(program.process.pid)

    wait_until(lambda: OFF == reports(hidraw)[-1])
    assert program.process.poll() is None


def test_program_that_spins_cannot_keep_the_key_down(keyed: Callable[..., KeyingProgram], hidraw: Path) -> None:
    program = keyed(1_500, "spin")

    wait_until(lambda: OFF == reports(hidraw)[-1])
    assert program.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT])
def test_guard_lets_go_at_any_signal(keyed: Callable[..., KeyingProgram], hidraw: Path, number: int) -> None:
    """Its program is stopped, so nobody else can: what systemd sends to a hung unit is enough."""
    program = keyed()
    freeze(program.process.pid)
    os.kill(program.guard_pid, number)

    wait_until(lambda: not is_running(program.guard_pid))
    assert OFF == reports(hidraw)[-1]


def test_guard_that_is_killed_mid_over_is_made_good_by_the_next(ptt: GuardedPtt, hidraw: Path) -> None:
    """A pin of the Pi and a CM108 stay as they are when their holder dies."""
    ptt.key(30_000)
    pid = ptt.guard_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    wait_until(lambda: OFF == reports(hidraw)[-1])
    ptt.key(5_000)
    assert ptt.guard_pid != pid


def test_guard_that_hangs_mid_over_is_replaced_at_unkey(settings: PttSettings, hidraw: Path) -> None:
    ptt = GuardedPtt(settings, answer_s=PATIENCE_S, start_s=PATIENCE_S)
    ptt.key(30_000)
    pid = ptt.guard_pid
    assert pid is not None
    freeze(pid)
    ptt._answer_s = IMPATIENCE_S
    ptt.unkey()

    assert OFF == reports(hidraw)[-1]
    assert not is_running(pid)
    ptt.close()


def test_guard_that_hangs_is_told_at_key(settings: PttSettings, hidraw: Path) -> None:
    ptt = GuardedPtt(settings, answer_s=PATIENCE_S, start_s=PATIENCE_S)
    ptt.unkey()
    pid = ptt.guard_pid
    assert pid is not None
    freeze(pid)
    ptt._answer_s = IMPATIENCE_S

    with pytest.raises(OSError, match="does not answer"):
        ptt.key(5_000)

    wait_until(lambda: ptt.guard_pid not in (None, pid))
    assert ON not in reports(hidraw)
    ptt.close()


def test_close_is_not_held_up_by_a_guard_that_hangs(settings: PttSettings, hidraw: Path) -> None:
    ptt = GuardedPtt(settings, answer_s=PATIENCE_S, start_s=PATIENCE_S)
    ptt.key(30_000)
    pid = ptt.guard_pid
    assert pid is not None
    freeze(pid)
    ptt._answer_s = IMPATIENCE_S
    ptt.close()

    assert OFF == reports(hidraw)[-1]
    wait_until(lambda: not is_running(pid))  # Killed, it needs its turn to end.


def test_guard_that_was_told_to_end_stays_away_until_it_is_wanted(
    ptt: GuardedPtt, hidraw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the unit's stop every process is told; one started in that moment would only hold the end up."""
    monkeypatch.setattr(ptt_guarded, "_LET_GO_PAUSE_S", 600)
    ptt.unkey()
    ptt.unkey()
    pid = ptt.guard_pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: ptt.guard_pid is None)
    before = len(reports(hidraw))
    time.sleep(0.5)  # another would have put the line off by now
    ptt.close()

    assert before == len(reports(hidraw))


def test_guard_that_was_told_to_end_is_back_when_it_is_wanted(ptt: GuardedPtt, hidraw: Path) -> None:
    ptt.unkey()
    pid = ptt.guard_pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: ptt.guard_pid is None)
    ptt.key(30_000)

    assert ON == reports(hidraw)[-1]

    # What the first one said of its end holds for itself alone.
    pid = ptt.guard_pid
    assert pid is not None
    freeze(pid)
    ptt._answer_s = IMPATIENCE_S
    ptt.close()

    assert OFF == reports(hidraw)[-1]


def test_line_that_is_missing_is_told_and_found_once_it_is_there(settings: PttSettings, hidraw: Path) -> None:
    hidraw.unlink()
    ptt = GuardedPtt(settings, answer_s=PATIENCE_S, start_s=PATIENCE_S)
    began_s = time.monotonic()

    with pytest.raises(OSError, match="is it plugged in"):
        ptt.key(5_000)
    with pytest.raises(OSError, match="is it plugged in"):
        ptt.unkey()

    # Told, not waited for.
    assert time.monotonic() - began_s < PATIENCE_S

    hidraw.touch()
    ptt.key(30_000)
    assert ON == reports(hidraw)[-1]
    ptt.close()


def scripted(program: str) -> Callable[[PttSettings], list[str]]:
    return lambda _: [sys.executable, "-c", program]


def test_failure_that_the_guard_tells_is_told_on(settings: PttSettings, hidraw: Path) -> None:
    """And the line is put off by this program itself, where no guard can."""
    told = scripted('print("ready", flush=True); input(); print("failed GPIO 12: stays low", flush=True)')
    ptt = GuardedPtt(settings, command=told, start_s=PATIENCE_S, answer_s=PATIENCE_S)

    with pytest.raises(OSError, match="GPIO 12: stays low"):
        ptt.key(5_000)

    ptt.close()
    assert OFF == reports(hidraw)[-1]


def test_confirmation_of_another_request_is_none(settings: PttSettings) -> None:
    told = scripted('print("ready\\nkeyed 7\\noff 1", flush=True); import time; time.sleep(600)')
    ptt = GuardedPtt(settings, command=told, start_s=PATIENCE_S, answer_s=0.3)

    with pytest.raises(OSError, match="does not answer"):
        ptt.key(5_000)

    ptt.close()


def test_guard_that_never_begins_is_given_up(settings: PttSettings, hidraw: Path) -> None:
    ptt = GuardedPtt(settings, command=scripted("import time; time.sleep(600)"), start_s=0.3)

    with pytest.raises(OSError, match=r"does not begin|does not start"):
        ptt.key(5_000)

    ptt.unkey()
    assert {OFF} == set(reports(hidraw))
    ptt.close()


def test_guard_that_never_begins_gives_way_to_the_next(settings: PttSettings) -> None:
    started: list[PttSettings] = []

    def told(which: PttSettings) -> list[str]:
        started.append(which)
        return ["sleep", "600"]

    ptt = GuardedPtt(settings, command=told, start_s=0.3)

    wait_until(lambda: len(started) > 1)
    ptt.close()


@pytest.mark.parametrize("command", ["/nonexistent/guard", "a\0b"])
def test_guard_that_cannot_be_started_is_told(settings: PttSettings, hidraw: Path, command: str) -> None:
    """The second is an error that is no ``OSError``, and must not end the thread that keeps the guard."""
    ptt = GuardedPtt(settings, command=lambda _: [command], start_s=PATIENCE_S)

    began_s = time.monotonic()

    with pytest.raises(OSError, match="cannot be started"):
        ptt.key(5_000)

    assert time.monotonic() - began_s < PATIENCE_S

    ptt.unkey()
    assert {OFF} == set(reports(hidraw))
    ptt.close()


def test_guard_is_no_place_for_a_shell_or_for_packages_from_elsewhere(settings: PttSettings) -> None:
    hostile = PttSettings(method="cm108", hidraw="/tmp/x; touch /tmp/y $(id)")
    command = guard_command(hostile)

    assert [sys.executable, "-s", "-P", "-m", "node.hw.radio.ptt_guard"] == command[:-1]
    assert "touch /tmp/y $(id)" in command[-1]


def test_guard_sees_little_of_our_surroundings(ptt: GuardedPtt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "/tmp/elsewhere.py")
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    ptt.unkey()
    assert ptt.guard_pid is not None
    os.kill(ptt.guard_pid, signal.SIGKILL)
    ptt.unkey()
    environment = Path(f"/proc/{ptt.guard_pid}/environ").read_bytes()

    assert b"PYTHONPATH=" in environment
    assert b"PYTHONSTARTUP" not in environment
    assert b"NOTIFY_SOCKET" not in environment


def test_guard_loads_no_library_of_another_line(ptt: GuardedPtt) -> None:
    """It is meant to be small: nothing of the node's but its own."""
    program = "import sys, node.hw.radio.ptt_guard; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", program], cwd=REPOSITORY, text=True).split()

    assert not {
        "gpiozero",
        "serial",
        "lgpio",
        "msgspec",
        "cryptography",
        "subprocess",
        "sqlite3",
        "tempfile",
        "threading",
    } & set(loaded)
