"""One push: what waits, what hangs and what leads nowhere (C8)."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Awaitable
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar

import h11
import pytest
from msgspec.structs import replace

from demo.stand_in_phones import StandInPush
from notifier import push as push_module
from notifier.outcome import NotSent, Outcome, Sent
from notifier.push import PushSender
from notifier.vapid import load_or_make_key
from tests.support.fleet_broker import DEADLINE_S
from tests.support.notifier_program import push_to
from wire.notices import Notice, Reason

pytestmark = pytest.mark.enable_socket
T = TypeVar("T")


@pytest.fixture
def sender(tmp_path: Path, push_service: StandInPush) -> PushSender:
    tls = ssl.create_default_context(cafile=str(push_service.ca_file))
    key = load_or_make_key(tmp_path / "push.pem", "mailto:engineer@town.example")
    return PushSender(key, tls, (ip_network("127.0.0.0/8"),))


def for_a_minute() -> float:
    return 60.0


def outcomes(*attempts: Awaitable[T]) -> list[T]:
    async def gather() -> list[T]:
        return [*await asyncio.gather(*attempts)]

    return asyncio.run(gather())


def reason(outcome: Outcome) -> Reason | None:
    return outcome.reason if isinstance(outcome, NotSent) else None


def test_what_waited_for_its_turn_too_long_is_not_sent(
    sender: PushSender, push_service: StandInPush, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a push service that hangs it would go out minutes later, perhaps long after the answer."""
    monkeypatch.setattr(push_module, "AT_ONE_HOST_MAX", 1)
    monkeypatch.setattr(push_module, "ATTEMPT_S", 1.0)
    waiting, called_off = push_service.phone(), push_service.phone()
    begun_s = time.monotonic()

    def half_a_second() -> float:
        return 0.5 - (time.monotonic() - begun_s)

    def until_it_was_its_turn() -> float:
        return 60.0 if time.monotonic() < begun_s + 0.7 else 0.0

    found = outcomes(
        sender.send(push_to(push_service.phone(0)), for_a_minute),
        sender.send(push_to(waiting), half_a_second),
        sender.send(push_to(called_off), until_it_was_its_turn),
    )

    assert [Reason.NO_ANSWER, Reason.EXPIRED, Reason.EXPIRED] == [reason(one) for one in found]
    assert (0, 0) == (waiting.tries, called_off.tries)


def test_address_that_leads_nowhere_leaves_time_for_the_next(
    sender: PushSender, push_service: StandInPush, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many networks have half an IPv6: packets vanish, and no phone would ring."""
    monkeypatch.setattr(push_module, "CONNECT_S", 0.2)
    monkeypatch.setattr(push_module, "ATTEMPT_S", DEADLINE_S)
    phone = push_service.phone()
    port = int(phone.subscription.endpoint.split(":")[2].split("/")[0])
    with socket.socket() as nowhere:
        nowhere.bind(("127.0.0.2", port))
        nowhere.listen()

        async def both(*_: object) -> list[str]:
            return ["127.0.0.2", "127.0.0.1"]

        monkeypatch.setattr(sender, "_resolve", both)

        assert [Sent()] == outcomes(sender.send(push_to(phone), for_a_minute))


def test_name_server_that_hangs_for_one_name_holds_up_no_other(
    sender: PushSender, push_service: StandInPush, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_module, "ATTEMPT_S", 2.0)
    over = threading.Event()
    known = socket.getaddrinfo

    def look_up(host: str, port: int, *, type: int) -> object:  # noqa: A002 - the library's name
        if host == "hangs.example":
            over.wait(DEADLINE_S)
        return known(host, port, type=type)

    monkeypatch.setattr("notifier.push.socket.getaddrinfo", look_up)
    phone = push_service.phone()
    hanging = [at_host(push_to(push_service.phone()), "hangs.example") for _ in range(push_module.AT_ONE_HOST_MAX)]

    async def in_its_own_time() -> Outcome:
        # The others have begun, with little time: it is not among those that have to lose patience.
        monkeypatch.setattr(push_module, "ATTEMPT_S", DEADLINE_S)
        return await sender.send(push_to(phone), for_a_minute)

    try:
        found = outcomes(*(sender.send(notice, for_a_minute) for notice in hanging), in_its_own_time())
    finally:
        over.set()

    assert Sent() == found[-1]
    assert {Reason.NO_ANSWER} == {reason(one) for one in found[:-1]}


def at_host(notice: Notice, host: str) -> Notice:
    assert notice.subscription is not None
    endpoint = notice.subscription.endpoint.replace("127.0.0.1", host)
    return replace(notice, subscription=replace(notice.subscription, endpoint=endpoint))


@pytest.mark.parametrize("said", ["9" * 400, "9" * 5_000, "-1", "soon", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_pause_that_makes_no_sense_is_no_fault_of_ours(said: str) -> None:
    outcome = push_module._judged("push.example", h11.Response(status_code=429, headers=[("Retry-After", said)]))

    assert Reason.TOO_MANY == reason(outcome)
