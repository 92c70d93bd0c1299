from __future__ import annotations

import asyncio
import threading

import pytest

from notifier.gateway import EMAIL, SMS, Gateway
from notifier.outcome import NotSent, Outcome, Sent, not_sent
from wire.notices import Failed, Reason, encode_notice_line

# One of Apprise's gateways asks Python for it; until 3.13 it is there, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def test_gateway_of_a_known_kind_is_taken() -> None:
    assert "" == Gateway(SMS, "clicksend://name:key@{to}").fault()
    assert "" == Gateway(EMAIL, "mailtos://user:word@mail.example?from=watch@town.example&to={to}").fault()


def test_gateway_that_cannot_work_says_why_at_the_start() -> None:
    assert "{to}" in Gateway(SMS, "clicksend://name:key@+447700900123").fault()
    assert "Apprise" in Gateway(SMS, "carrier-pigeon://{to}").fault()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Failed to send X notification to +447700900123: Payment Required, error=402.", Reason.NO_CREDIT),
        ("Failed to send X notification: Insufficient balance, error=400.", Reason.NO_CREDIT),
        ("Failed to send X notification to +447700900123: error=401.", Reason.REFUSED),
        ("Failed to send X notification: error=301.", Reason.REDIRECTED),
        ("Failed to send X notification: error=429.", Reason.TOO_MANY),
        ("Failed to send X notification: error=503.", Reason.TOO_MANY),
        ("A Connection error occurred sending X notification to https://key@api.example/.", Reason.UNREACHED),
        ("Failed to send to jo@town.example", Reason.REFUSED),
        pytest.param(
            "A Connection error occurred.\nSocket Exception: ('Connection aborted.', 'key@api.example')",
            Reason.NO_ANSWER,
            id="hung up",
        ),
        ("A Connection error occurred.\nSocket Exception: Max retries exceeded with url: /key@", Reason.UNREACHED),
        ("", Reason.REFUSED),
    ],
)
def test_what_the_gateway_says_becomes_a_reason_without_an_address(said: str, reason: Reason) -> None:
    outcome = Gateway(SMS, "clicksend://name:key@{to}")._judged(said.splitlines())

    assert isinstance(outcome, NotSent)
    assert reason == outcome.reason
    assert [] == [word for word in ("7700900123", "jo@", "key@") if word in outcome.words]


def test_text_that_waited_for_its_turn_until_the_answer_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a gateway that hangs; the text would wake somebody for nothing."""
    monkeypatch.setattr("notifier.gateway.AT_ONCE_MAX", 1)
    gateway = Gateway(SMS, "clicksend://name:key@{to}")
    sent: list[str] = []
    is_begun, is_answered, goes_on = threading.Event(), threading.Event(), threading.Event()

    def notify(to: str, _sentence: str) -> Outcome:
        sent.append(to)
        is_begun.set()
        goes_on.wait(120)
        return Sent()

    monkeypatch.setattr(gateway, "_notify", notify)

    def left_s() -> float:
        return 0.0 if is_answered.is_set() else 60.0

    async def run() -> list[Outcome]:
        first = asyncio.create_task(gateway.send("first", "", lambda: 60.0))
        second = asyncio.create_task(gateway.send("second", "", left_s))
        assert await asyncio.to_thread(is_begun.wait, 120)
        is_answered.set()
        goes_on.set()
        return [await first, await second, await gateway.send("third", "", lambda: 60.0)]

    one, two, three = asyncio.run(run())

    assert (Sent(), Sent()) == (one, three)
    assert isinstance(two, NotSent)
    assert (Reason.EXPIRED, ["first", "third"]) == (two.reason, sent)


@pytest.mark.parametrize("said", ["\U0001f6d1", '"', "\\"])
def test_words_in_any_alphabet_fit_into_a_line(said: str) -> None:
    outcome = not_sent(Reason.REFUSED, 600 * said)

    encode_notice_line(Failed(request="0" * 32, reason=outcome.reason, words=outcome.words))
