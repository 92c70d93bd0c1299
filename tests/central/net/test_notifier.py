from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from central.net import notifier as link_module
from central.net.notifier import SILENT, TOO_OLD, NotifierLink, Report
from runtime import line_client
from runtime.unix_address import socket_address
from tests.support.fleet_broker import DEADLINE_S, wait_until
from wire.notices import (
    VERSION,
    Accepted,
    CalledOff,
    CentralLine,
    Delivered,
    Failed,
    Hello,
    Notice,
    NotifierLine,
    Reason,
    decode_ordered,
    encode_notice_line,
)

pytestmark = pytest.mark.enable_socket
HELLO: Final = Hello(version=VERSION, ways=("push", "sms"), key="B" * 87)
_numbers: Final = itertools.count(1)


def notice(**more: object) -> Notice:
    raw = {
        "type": "notice",
        "request": f"{next(_numbers):032x}",
        "account": 7,
        "way": "sms",
        "to": "+447700900123",
        "priority": 1,
        "occasion": "alert",
        "reference": "r",
        "valid_s": 60,
        **more,
    }
    line = decode_ordered(json.dumps(raw).encode())
    assert isinstance(line, Notice)
    return line


class StandInNotifier:
    """Its side of the socket."""

    def __init__(self, path: Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        with socket_address(path) as address:
            self.listener.bind(address)
        self.listener.listen()
        self.listener.settimeout(DEADLINE_S)

    def accept(self, hello: NotifierLine = HELLO) -> None:
        self.central, _ = self.listener.accept()
        self.central.settimeout(DEADLINE_S)
        self.lines = self.central.makefile("rb")
        self.say(hello)

    def say(self, *lines: NotifierLine) -> None:
        self.central.sendall(b"".join(map(encode_notice_line, lines)))

    def read(self) -> CentralLine:
        return decode_ordered(self.lines.readline())

    def hang_up(self) -> None:
        self.lines.close()
        self.central.close()

    def die(self) -> None:
        self.hang_up()
        self.listener.close()


class Told:
    """What the link told, and on which thread."""

    def __init__(self) -> None:
        self.reports: list[tuple[Notice, Report]] = []
        self.faults: list[str] = []
        self.threads: set[str] = set()

    def report(self, notice: Notice, report: Report) -> None:
        self.threads.add(threading.current_thread().name)
        self.reports.append((notice, report))

    def ends(self) -> list[Delivered | Failed]:
        return [report for _, report in [*self.reports] if isinstance(report, Delivered | Failed)]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notifier.socket"


@pytest.fixture
def alone_s() -> float:
    """Longer than this thread may have to wait for its turn, between a hang-up and the next accept."""
    return 600.0


soon_alone = pytest.mark.parametrize("alone_s", [0.3])
"""For the tests of a notifier that does not come in time."""


@pytest.fixture
def link(path: Path, told: Told, alone_s: float) -> Iterator[NotifierLink]:
    link = NotifierLink(path, told.report, told.faults.append, pauses_s=(0.01,), alone_s=alone_s)
    link.start()
    yield link
    link.stop()


@pytest.fixture
def stand_in(path: Path, link: NotifierLink) -> Iterator[StandInNotifier]:
    stand_in = StandInNotifier(path)
    stand_in.accept()
    wait_until(lambda: bool(link.known.ways), "the notifier's first line")
    yield stand_in
    stand_in.die()


def test_order_wakes_the_link_once_for_all_that_wait_and_never_too_seldom(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads may add at the same moment, and each see the other's."""
    woken: list[int] = []
    link = NotifierLink(path, lambda *_: None, lambda _: None)
    monkeypatch.setattr(link, "_wake", lambda: woken.append(len(link._new)))

    link._new.append(CalledOff(reference="of another thread"))
    for _ in range(3):
        link.order(notice())
    assert [2] == woken
    link._prepare()
    link.call_off("a")

    assert [2, 1] == woken
    link.stop()


def test_order_goes_out_and_its_result_comes_back(link: NotifierLink, stand_in: StandInNotifier, told: Told) -> None:
    one = notice()
    link.order(one)

    assert one == stand_in.read()
    stand_in.say(Accepted(request=one.request), Delivered(request=one.request))
    wait_until(lambda: len(told.reports) == 2, "a result")
    assert [(one, Accepted(request=one.request)), (one, Delivered(request=one.request))] == told.reports
    assert {"notifier-link"} == told.threads
    assert (("push", "sms"), "B" * 87) == (link.known.ways, link.known.key)
    assert [""] == told.faults


def test_ways_are_taken_for_there_until_the_notifier_has_had_its_time(path: Path, told: Told) -> None:
    """Of a restart of both: the first step of an alert passes nobody over whom the notifier reaches a second later."""
    link = NotifierLink(path, told.report, told.faults.append, pauses_s=(0.01,), alone_s=600)
    link.start()
    before = link.ways, link.is_sure
    stand_in = StandInNotifier(path)
    stand_in.accept()
    wait_until(lambda: bool(link.known.ways), "the notifier's first line")
    with_it = link.ways, link.is_sure
    stand_in.die()
    wait_until(lambda: not link.known.ways, "a link that is down")
    after = link.ways, link.is_sure
    link.stop()

    assert (("push", "sms", "email"), False) == before
    assert [(HELLO.ways, True), (HELLO.ways, False)] == [with_it, after]


def test_what_had_no_result_is_ordered_again_of_the_next_run(
    link: NotifierLink, stand_in: StandInNotifier, told: Told
) -> None:
    done, open_ = notice(), notice()
    link.order(done)
    link.order(open_)
    assert [done, open_] == [stand_in.read(), stand_in.read()]
    stand_in.say(Delivered(request=done.request))
    wait_until(lambda: bool(told.reports), "a result")

    stand_in.hang_up()
    stand_in.accept()

    again = stand_in.read()
    assert isinstance(again, Notice)
    assert (open_.request, True) == (again.request, again.valid_s <= 60)


def test_notifier_that_is_older_is_told_nothing_that_it_does_not_know(
    link: NotifierLink, stand_in: StandInNotifier, told: Told
) -> None:
    """It would hang up on it again and again, and no alert would get through."""
    link.order(notice(occasion="premises-alert"))
    alert = notice()
    link.order(alert)

    assert alert == stand_in.read()
    wait_until(lambda: bool(told.ends()), "a result")
    (end,) = told.ends()
    assert isinstance(end, Failed)
    assert (Reason.NOT_CONFIGURED, TOO_OLD) == (end.reason, end.words)


def test_what_was_ordered_before_an_older_notifier_came_fails_then(link: NotifierLink, path: Path, told: Told) -> None:
    link.order(notice(occasion="premises-fault"))
    stand_in = StandInNotifier(path)
    stand_in.accept()

    wait_until(lambda: bool(told.ends()), "a result")
    link.order(one := notice())

    assert one == stand_in.read()
    stand_in.die()


@soon_alone
def test_what_nobody_is_asked_about_waits_for_a_notifier_as_long_as_it_is_worth_it(
    link: NotifierLink, path: Path, told: Told
) -> None:
    """After a power cut central is there first."""
    alert, shift = notice(), notice(occasion="shift")
    link.order(shift)
    link.order(alert)
    wait_until(lambda: bool(told.ends()), "the end of the alert's")
    assert [alert.request] == [end.request for end in told.ends()]
    stand_in = StandInNotifier(path)
    stand_in.accept()

    said = stand_in.read()
    assert isinstance(said, Notice)
    assert shift.request == said.request
    stand_in.die()


def test_notifier_is_told_of_each_occasion_that_it_names(link: NotifierLink, path: Path) -> None:
    stand_in = StandInNotifier(path)
    stand_in.accept(replace(HELLO, occasions=("alert", "premises-alert", "something-newer")))
    wait_until(lambda: bool(link.known.ways), "the notifier's first line")

    link.order(one := notice(occasion="premises-alert"))

    assert one == stand_in.read()
    stand_in.die()


@soon_alone
def test_dead_notifier_is_told_and_what_was_ordered_fails_soon(
    link: NotifierLink, stand_in: StandInNotifier, told: Told
) -> None:
    """C8: a message that nobody sends does not count as asked."""
    one, later = notice(), notice()
    link.order(one)
    stand_in.read()

    told.faults.clear()  # Perhaps it came late.
    stand_in.die()
    wait_until(lambda: SILENT in told.faults, "a fault")
    link.order(later)

    wait_until(lambda: len(told.ends()) == 2, "two results")
    assert [Reason.UNREACHED, Reason.UNREACHED] == [end.reason for end in told.ends() if isinstance(end, Failed)]
    assert ((), (), True) == (link.known.ways, link.ways, link.is_sure)
    assert "B" * 87 == link.known.key


@soon_alone
def test_notifier_that_comes_back_ends_the_fault(
    link: NotifierLink, stand_in: StandInNotifier, path: Path, told: Told
) -> None:
    told.faults.clear()  # Perhaps it came late.
    stand_in.die()
    wait_until(lambda: SILENT in told.faults, "a fault")
    again = StandInNotifier(path)
    again.accept()

    wait_until(lambda: told.faults[-1] == "", "no fault")
    again.die()


def test_hung_notifier_holds_up_nobody_and_is_told_of_each_order_in_time(
    link: NotifierLink, stand_in: StandInNotifier, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "RESULT_WITHIN_S", -0.9)
    one = notice(valid_s=1)

    link.order(one)

    wait_until(lambda: bool(told.ends()), "a result")
    (end,) = told.ends()
    assert isinstance(end, Failed)
    assert Reason.NO_ANSWER == end.reason


@soon_alone
def test_notifier_that_says_nothing_is_told_of_soon(
    link: NotifierLink, path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs before its first line: each later order fails as with none, and holds up no step."""
    monkeypatch.setattr(link_module, "RESULT_WITHIN_S", 10_000.0)
    mute = StandInNotifier(path)
    mute.central, _ = mute.listener.accept()
    wait_until(lambda: SILENT in told.faults, "a fault")

    link.order(notice())

    wait_until(lambda: bool(told.ends()), "a result")
    mute.central.close()
    mute.listener.close()


def test_notifier_that_does_not_read_is_hung_up_on(
    link: NotifierLink, stand_in: StandInNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_client, "BACKLOG_BYTES_MAX", 10_000)
    monkeypatch.setattr(link_module, "ORDERED_MAX", 50)

    # More than sockets hold.
    for number in range(100_000):
        link.call_off(f"{number:064}")

    wait_until(lambda: not link.known.ways, "a hang-up")


def test_what_is_no_longer_worth_sending_is_not_ordered_again(
    link: NotifierLink, stand_in: StandInNotifier, told: Told
) -> None:
    """A notifier that hung and came back would ring for what was over long ago."""
    over, later = notice(valid_s=1), notice(valid_s=60)
    link.order(over)
    stand_in.read()
    link._ordered[over.request].until_s -= 3

    stand_in.hang_up()
    link.order(later)
    stand_in.accept()

    assert [later.request] == [again.request for again in [stand_in.read()] if isinstance(again, Notice)]


def test_orders_are_bounded(
    link: NotifierLink, stand_in: StandInNotifier, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "ORDERED_MAX", 2)
    for one in (notice(), notice(), notice()):
        link.order(one)

    wait_until(lambda: bool(told.ends()), "a result")
    (end,) = told.ends()
    assert isinstance(end, Failed)
    assert Reason.FULL == end.reason


def test_answered_alert_is_called_off(link: NotifierLink, stand_in: StandInNotifier) -> None:
    link.call_off("r")

    assert CalledOff(reference="r") == stand_in.read()


def test_what_was_answered_is_not_asked_of_the_next_run(
    link: NotifierLink, stand_in: StandInNotifier, told: Told
) -> None:
    """A notifier that hung and is started anew never heard of it."""
    answered, waiting = notice(reference="a"), notice(reference="b")
    link.order(answered)
    link.order(waiting)
    link.call_off("a")
    assert [answered, waiting, CalledOff(reference="a")] == [stand_in.read() for _ in range(3)]

    stand_in.hang_up()
    stand_in.accept()

    again = [stand_in.read(), stand_in.read()]
    assert CalledOff(reference="a") == again[0]
    assert isinstance(again[1], Notice)
    assert waiting.request == again[1].request
    assert [Failed(request=answered.request, reason=Reason.CALLED_OFF)] == told.ends()


def test_what_is_asked_anew_is_not_called_off_with_what_was_answered(
    link: NotifierLink, stand_in: StandInNotifier
) -> None:
    before, anew = notice(reference="a"), notice(reference="a")
    link.order(before)
    link.call_off("a")
    link.order(anew)
    assert [before, CalledOff(reference="a"), anew] == [stand_in.read() for _ in range(3)]

    stand_in.hang_up()
    stand_in.accept()

    again = stand_in.read()
    assert isinstance(again, Notice)
    assert anew.request == again.request


@soon_alone
def test_notifier_of_another_version_is_hung_up_on(link: NotifierLink, path: Path, told: Told) -> None:
    other = StandInNotifier(path)
    other.accept(Hello(version=VERSION + 1, ways=("push",), key="B" * 87))

    assert b"" == other.lines.readline()
    wait_until(lambda: SILENT in told.faults, "a fault")
    other.die()


def test_poison_ends_the_connection_and_nothing_else(link: NotifierLink, stand_in: StandInNotifier, told: Told) -> None:
    stand_in.central.sendall(b"\xff" * 5_000)

    stand_in.hang_up()
    stand_in.accept()
    one = notice()
    link.order(one)
    # Perhaps said after the first line of the new connection, and then for less long.
    again = stand_in.read()
    assert isinstance(again, Notice)
    assert one.request == again.request
