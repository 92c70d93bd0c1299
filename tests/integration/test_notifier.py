"""The notifier as a program, with a real push service's protocol and a text gateway on loopback (C8)."""

from __future__ import annotations

import base64
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.stand_in_phones import StandInPush, StandInTexts
from tests.support.fleet_broker import wait_until
from tests.support.notifier_program import NotifierProgram, push_to, text_to, write_notifier
from wire.notices import Delivered, Failed, Grouped, Hello, Reason

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notifier")


@pytest.fixture(scope="module")
def gateway() -> Iterator[StandInTexts]:
    gateway = StandInTexts()
    yield gateway
    gateway.close()


@pytest.fixture
def texts(gateway: StandInTexts) -> StandInTexts:
    """Without what an earlier test left there."""
    gateway.texts.clear()
    gateway.answer, gateway.tries = 200, 0
    return gateway


@pytest.fixture(scope="module")
def notifier(folder: Path, push_service: StandInPush, gateway: StandInTexts) -> Iterator[NotifierProgram]:
    (folder / "sms.url").write_text(gateway.url + "\n")
    notifier = NotifierProgram(write_notifier(folder, push_service, '[sms]\ngateway_file = "sms.url"\n'))
    yield notifier
    assert 0 == notifier.stop()


def test_phone_is_told_that_an_alert_waits_and_nothing_else(
    notifier: NotifierProgram, push_service: StandInPush
) -> None:
    hello = next(line for line in notifier.said if isinstance(line, Hello))
    phone = push_service.phone()
    notice = push_to(phone)

    notifier.order(notice)

    assert Delivered(request=notice.request) == notifier.result(notice)
    assert [] == push_service.refused
    (shown,) = phone.shown
    assert {"occasion": "alert", "reference": "Zk3vQ0p1"} == shown.told
    assert ("high", "aes128gcm") == (shown.fields["urgency"], shown.fields["content-encoding"])
    assert 0 < int(shown.fields["ttl"]) <= 60
    assert shown.fields["authorization"].endswith(f"k={hello.key}")
    assert ("push", "sms") == hello.ways


def test_text_message_says_that_an_alert_waits_and_where_to_look(
    notifier: NotifierProgram, texts: StandInTexts
) -> None:
    notice = text_to("+447700900001")

    notifier.order(notice)

    assert Delivered(request=notice.request) == notifier.result(notice)
    said = "Watchlink: an alert waits. https://central.example/wake/Zk3vQ0p1"
    assert [("+447700900001", said)] == texts.texts


@pytest.mark.parametrize(
    ("status", "reason", "tries"),
    [
        (404, Reason.GONE, 1),
        (410, Reason.GONE, 1),
        (307, Reason.REDIRECTED, 1),
        (302, Reason.REDIRECTED, 1),
        (400, Reason.REFUSED, 1),
        (429, Reason.TOO_MANY, 4),
        (503, Reason.TOO_MANY, 4),
    ],
)
def test_push_service_that_says_no_is_reported_as_it_is(
    notifier: NotifierProgram, push_service: StandInPush, status: int, reason: Reason, tries: int
) -> None:
    elsewhere = push_service.phone()
    push_service.away = elsewhere.subscription.endpoint
    phone = push_service.phone(status)
    notice = push_to(phone)

    notifier.order(notice)

    result = notifier.result(notice)
    assert isinstance(result, Failed)
    assert (reason, tries, 0) == (result.reason, phone.tries, elsewhere.tries)
    assert "/push/" not in result.words


def test_service_that_recovers_is_tried_again_and_delivers(
    notifier: NotifierProgram, push_service: StandInPush
) -> None:
    phone = push_service.phone(503)
    notice = push_to(phone)
    notifier.order(notice)
    wait_until(lambda: phone.tries >= 1, "a first try")

    phone.answer = 201

    assert Delivered(request=notice.request) == notifier.result(notice)
    assert 1 == len(phone.shown)


def test_endpoint_that_hangs_holds_up_nobody_else_and_is_not_counted_as_asked(
    notifier: NotifierProgram, push_service: StandInPush
) -> None:
    hanging = push_to(push_service.phone(0), account=1)
    phone = push_service.phone()
    other = push_to(phone, account=2)

    notifier.order(hanging, other)

    result = notifier.result(hanging)
    ended = [line.request for line in notifier.said if isinstance(line, Delivered | Failed)]
    assert [other.request, hanging.request] == ended[-2:]
    assert isinstance(result, Failed)
    assert Reason.NO_ANSWER == result.reason


@pytest.mark.parametrize(
    ("status", "reason"), [(402, Reason.NO_CREDIT), (401, Reason.REFUSED), (302, Reason.REDIRECTED)]
)
def test_text_gateway_that_says_no_is_reported_without_the_number_or_the_password(
    notifier: NotifierProgram, texts: StandInTexts, status: int, reason: Reason
) -> None:
    texts.answer = status
    notice = text_to("+447700900002")

    notifier.order(notice)

    result = notifier.result(notice)
    assert isinstance(result, Failed)
    assert (reason, 1) == (result.reason, texts.tries)
    said = result.words + notifier.log.read_text()
    assert [] == [word for word in ("7700900002", "secret-word") if word in said]
    assert status != 402 or result.words == "The text gateway is out of credit."


def test_gateway_that_hangs_holds_up_no_push_and_is_not_asked_twice(
    notifier: NotifierProgram, push_service: StandInPush, texts: StandInTexts
) -> None:
    texts.answer = 0
    phone = push_service.phone()
    push = push_to(phone)
    hanging = [text_to(f"+4477009001{number:02}") for number in range(40)]

    notifier.order(*hanging, push)

    assert Delivered(request=push.request) == notifier.result(push)
    result = notifier.result(hanging[0])
    assert isinstance(result, Failed)
    assert Reason.NO_ANSWER == result.reason


def test_flood_of_200_is_one_message_a_person_and_the_most_urgent_first(
    notifier: NotifierProgram, push_service: StandInPush
) -> None:
    """The issue's 200 alerts at once: never silence, never 200 messages."""
    phones = [push_service.phone() for _ in range(4)]
    flood = [
        push_to(phone, account=1 + number, priority=1 + alert % 4, reference=f"alert-{alert}", valid_s=300)
        for alert in reversed(range(50))
        for number, phone in enumerate(phones)
    ]

    notifier.order(*flood)

    first = [notice for notice in flood if notice.priority == 1]
    for notice in first:
        assert isinstance(notifier.result(notice), Delivered)
    urgent = {notice.reference for notice in first}
    assert all(phone.shown[-1].told["reference"] in urgent for phone in phones)
    assert sum(len(phone.shown) for phone in phones) <= 8
    settled = {line.request for line in notifier.said if isinstance(line, Delivered | Grouped)}
    assert {notice.request for notice in flood} <= settled
    assert notifier.rss_mb <= 90


def test_killed_in_mid_send_it_is_ordered_again_and_delivers(tmp_path: Path, push_service: StandInPush) -> None:
    phone = push_service.phone(0)
    notice = push_to(phone)
    notifier = NotifierProgram(write_notifier(tmp_path, push_service))
    notifier.order(notice)
    wait_until(lambda: phone.tries >= 1, "a first try")
    key = next(line.key for line in notifier.said if isinstance(line, Hello))
    notifier.kill()
    phone.answer = 201

    again = NotifierProgram(notifier.config)
    try:
        again.order(notice)

        assert Delivered(request=notice.request) == again.result(notice)
        assert key == next(line.key for line in again.said if isinstance(line, Hello))
        assert 1 == len(phone.shown)
    finally:
        assert 0 == again.stop()


def test_ordered_again_over_a_new_connection_nothing_is_sent_twice(
    notifier: NotifierProgram, push_service: StandInPush
) -> None:
    phone = push_service.phone()
    notice = push_to(phone)
    notifier.order(notice)
    notifier.result(notice)

    notifier.connect()
    notifier.order(notice)

    assert Delivered(request=notice.request) == notifier.result(notice)
    assert 1 == len(phone.shown)


@pytest.mark.parametrize(
    "poison",
    [b"{}\n", b"\xff\xfe\n", b'{"type":"hello"}\n', b"x" * 10_000, b"[" * 2_000 + b"\n"],
    ids=lambda b: str(b[:9]),
)
def test_poison_on_the_socket_ends_the_connection_and_nothing_else(
    notifier: NotifierProgram, push_service: StandInPush, poison: bytes
) -> None:
    phone = push_service.phone()
    notifier.central.sendall(poison)
    notifier.connect()
    notice = push_to(phone)

    notifier.order(notice)

    assert Delivered(request=notice.request) == notifier.result(notice)
    assert notifier.process.poll() is None


def test_endpoint_in_a_private_network_is_not_even_tried(tmp_path: Path, push_service: StandInPush) -> None:
    """An endpoint comes from outside: it must not make us call on our own machines."""
    config = write_notifier(tmp_path, push_service)
    config.write_text(config.read_text().replace("127.0.0.0/8", "192.0.2.0/24"))
    phone = push_service.phone()
    notifier = NotifierProgram(config)
    try:
        notice, text = push_to(phone), text_to("+447700900003")
        notifier.order(notice, text)

        refused, unknown = notifier.result(notice), notifier.result(text)
        assert isinstance(refused, Failed)
        assert isinstance(unknown, Failed)
        assert (Reason.BAD_ADDRESS, Reason.NOT_CONFIGURED) == (refused.reason, unknown.reason)
        assert 0 == phone.tries
    finally:
        notifier.kill()


def test_push_service_that_is_not_itself_gets_nothing(tmp_path: Path, push_service: StandInPush) -> None:
    config = write_notifier(tmp_path, push_service)
    config.write_text("\n".join(line for line in config.read_text().splitlines() if "ca_file" not in line))
    phone = push_service.phone()
    notifier = NotifierProgram(config)
    try:
        notice = push_to(phone)
        notifier.order(notice)

        result = notifier.result(notice)
        assert isinstance(result, Failed)
        assert (Reason.UNREACHED, 0) == (result.reason, phone.tries)
    finally:
        notifier.kill()


def test_nothing_but_the_push_key_is_on_disk(
    notifier: NotifierProgram, push_service: StandInPush, folder: Path
) -> None:
    notice = push_to(push_service.phone())
    notifier.order(notice)
    notifier.result(notice)

    own = {path.name for path in folder.iterdir()}
    assert {"notifier.toml", "sms.url", "notifier.log", "notifier.socket", "push.pem"} == own
    assert 0o600 == stat.S_IMODE((folder / "push.pem").stat().st_mode)
    written = (folder / "push.pem").read_bytes() + notifier.log.read_bytes()
    assert notice.reference.encode() not in written
    assert base64.b64encode(notice.request.encode()) not in written
