"""The MQTT link against a real Mosquitto: what it promises both sides (runtime.mqtt_link)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runtime.config import ConfigError
from runtime.mqtt_link import LinkHandlers, LinkSettings, PahoLink, Will
from tests.support.fleet_broker import DEADLINE_S, listening, wait_until
from tests.support.node_town import BOTH, PUB, SHOP, Town

pytestmark = pytest.mark.integration

OWN = f"watchlink/1/scheme/hart/frame/{SHOP}"
FRAMES = "watchlink/1/scheme/hart/frame/+"


@dataclass
class Told:
    """What a link has told, in order."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    is_raising: bool = False

    def note(self, *call: object) -> None:
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()
        if self.is_raising:
            raise RuntimeError("a handler with a bug")

    def wait_for(self, *call: object, count: int = 1) -> None:
        with self.changed:
            if not self.changed.wait_for(lambda: self.calls.count(call) >= count, DEADLINE_S):
                raise TimeoutError(f"no {call} among {self.calls}")

    def wait_for_down(self, words: str) -> None:
        def found() -> list[tuple[Any, ...]]:
            return [call for call in self.calls if call[0] == "down" and words in call[1]]

        with self.changed:
            assert self.changed.wait_for(lambda: bool(found()), DEADLINE_S), (words, self.calls)


def settings(town: Town, node: str = SHOP, **changes: object) -> LinkSettings:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": town.broker.port,
        "ca_file": "ca.pem",
        "certificate_file": "client.pem",
        "key_file": "client.key",
        "keepalive_s": 60,  # Somebody who waits for the processor for seconds is not gone.
    }
    folder = town.fleet.layout.central if node == "central" else town.folder(node)
    return LinkSettings(**{**values, **changes}).resolved(folder)


@pytest.fixture
def links() -> Iterator[list[PahoLink]]:
    made: list[PahoLink] = []
    yield made
    for link in made:
        link.stop()


def start(
    links: list[PahoLink],
    told: Told,
    with_settings: LinkSettings,
    node: str = SHOP,
    *,
    on_message: Callable[[str, bytes, str | None], None] | None = None,
    **options: object,
) -> PahoLink:
    handlers = LinkHandlers(
        on_up=lambda: told.note("up"),
        on_down=lambda detail, is_permanent: told.note("down", detail, is_permanent),
        on_message=on_message
        or (
            lambda topic, payload, signature: told.note(
                "message", topic, payload, *(() if signature is None else (signature,))
            )
        ),
        on_published=lambda token: told.note("published", token),
        on_refused=lambda token, reason: told.note("refused", token, reason),
    )
    link = PahoLink(with_settings, node, handlers, **options)  # type: ignore[arg-type]
    links.append(link)
    link.start()
    return link


def test_link_says_up_then_delivers_and_reports_the_puback(town: Town, links: list[PahoLink]) -> None:
    told = Told()
    link = start(links, told, settings(town), subscriptions=[FRAMES])
    told.wait_for("up")

    assert link.publish(OWN, b"x", qos=1, token="t1")
    told.wait_for("published", "t1")
    told.wait_for("message", OWN, b"x")
    assert ("up",) == told.calls[0]
    assert link.is_up


def test_link_reports_every_token_of_a_burst_once(town: Town, links: list[PahoLink]) -> None:
    told = Told()
    link = start(links, told, settings(town))
    told.wait_for("up")
    for n in range(3_000):
        assert link.publish(OWN, b"x", qos=1, token=n)
        if n % 5 == 0:  # As many as there is room for beside the others, should the broker take none meanwhile.
            link.publish(OWN, b"y", qos=0)
    told.wait_for("published", 2_999)
    wait_until(lambda: sum(call[0] == "published" for call in [*told.calls]) >= 3_000, "every PUBACK")

    assert sorted(call[1] for call in told.calls if call[0] == "published") == list(range(3_000))


def test_link_does_not_hear_itself_where_that_is_not_wanted(town: Town, links: list[PahoLink]) -> None:
    told, other = Told(), Told()
    link = start(links, told, settings(town), subscriptions=[FRAMES], is_echo_wanted=False)
    neighbour = start(links, other, settings(town, BOTH), BOTH, subscriptions=[FRAMES])
    told.wait_for("up")
    other.wait_for("up")
    link.publish(OWN, b"mine", qos=1, token=1)
    other.wait_for("message", OWN, b"mine")
    neighbour.publish(f"watchlink/1/scheme/hart/frame/{BOTH}", b"theirs", qos=1)
    told.wait_for("message", f"watchlink/1/scheme/hart/frame/{BOTH}", b"theirs")

    assert ("message", OWN, b"mine") not in told.calls


def test_link_says_what_the_broker_refuses(town: Town, links: list[PahoLink]) -> None:
    """The ACL denies it: no PUBACK is claimed."""
    told = Told()
    link = start(links, told, settings(town))
    told.wait_for("up")
    link.publish(f"watchlink/1/scheme/pubwatch/frame/{SHOP}", b"x", qos=1, token="foreign")
    told.wait_for("refused", "foreign", "Not authorized")

    assert ("published", "foreign") not in told.calls


def test_link_survives_handlers_that_raise(town: Town, links: list[PahoLink]) -> None:
    told = Told(is_raising=True)
    link = start(links, told, settings(town), subscriptions=[FRAMES])
    told.wait_for("up")
    for n in range(3):
        link.publish(OWN, b"x", qos=1, token=n)
        told.wait_for("published", n)
    told.wait_for("message", OWN, b"x", count=3)


def test_link_comes_back_by_itself_and_sends_what_waited(quiet_town: Town, links: list[PahoLink]) -> None:
    told = Told()
    link = start(links, told, settings(quiet_town), subscriptions=[FRAMES])
    told.wait_for_down(f"no broker answers at 127.0.0.1:{quiet_town.broker.port}")
    assert link.publish(OWN, b"waited", qos=1, token="waited")
    assert not link.publish(OWN, b"dropped", qos=0)
    quiet_town.broker.start()
    try:
        told.wait_for("up")
        told.wait_for("published", "waited")
        quiet_town.broker.kill()
        told.wait_for_down("connection to the broker was lost")
        quiet_town.broker.start()
        told.wait_for("up", count=2)
        link.publish(OWN, b"again", qos=1, token="again")
        told.wait_for("published", "again")
        told.wait_for("message", OWN, b"again")
    finally:
        quiet_town.broker.stop()


def test_link_is_given_what_came_while_it_was_away(town: Town, links: list[PahoLink]) -> None:
    """The broker keeps the session; a convenience, nothing depends on it."""
    told, again, other = Told(), Told(), Told()
    theirs = f"watchlink/1/scheme/hart/frame/{BOTH}"
    first = start(links, told, settings(town), subscriptions=[FRAMES])
    told.wait_for("up")
    first.stop()
    neighbour = start(links, other, settings(town, BOTH), BOTH)
    neighbour.publish(theirs, b"meanwhile", qos=1, token=1)
    other.wait_for("published", 1)
    start(links, again, settings(town), subscriptions=[FRAMES])
    again.wait_for("message", theirs, b"meanwhile")


def test_link_takes_a_message_from_the_moment_that_it_is_up(
    monkeypatch: pytest.MonkeyPatch, town: Town, links: list[PahoLink]
) -> None:
    """On a busy machine it was up before its start had returned: central's proof that alerts have a lane was lost."""
    taken: queue.Queue[bool] = queue.Queue()
    handlers = LinkHandlers(
        lambda: taken.put(links[0].publish(OWN, b"first", qos=1)),
        lambda _detail, _is_permanent: None,
        lambda _topic, _payload, _signature: None,
        lambda _token: None,
    )
    links.append(PahoLink(settings(town), SHOP, handlers))
    begin = links[0]._client.loop_start

    def begin_and_be_up() -> object:
        done = begin()
        taken.put(taken.get(timeout=DEADLINE_S))
        return done

    monkeypatch.setattr(links[0]._client, "loop_start", begin_and_be_up)
    links[0].start()

    assert taken.get(timeout=DEADLINE_S)


def test_link_bounds_what_waits(quiet_town: Town, links: list[PahoLink]) -> None:
    link = start(links, Told(), settings(quiet_town), max_queued=5)

    assert [True] * 5 + [False] * 2 == [link.publish(OWN, b"x", qos=1, token=n) for n in range(7)]


def test_link_notices_a_frozen_broker(town: Town, links: list[PahoLink]) -> None:
    """Half-open: the socket is fine, nobody is behind it."""
    told = Told()
    start(links, told, settings(town, keepalive_s=5))
    told.wait_for("up")
    with town.broker.frozen():
        told.wait_for_down("connection to the broker was lost")
    told.wait_for("up", count=2)


def test_link_says_when_another_has_its_certificate(town: Town, links: list[PahoLink]) -> None:
    told = Told()
    start(links, told, settings(town))
    told.wait_for("up")
    with listening(town.broker.port, town.folder(SHOP)):
        told.wait_for_down("another program connected with our certificate")


def test_link_leaves_its_will_when_it_is_cut_and_none_after_a_goodbye(town: Town, links: list[PahoLink]) -> None:
    health = f"watchlink/1/node/{SHOP}/up/health"
    told = Told()
    with listening(town.broker.port, town.fleet.layout.central) as watcher:
        watcher.subscribe("watchlink/1/node/+/up/+")
        first = start(links, told, settings(town), will=Will(health, b"gone"))
        told.wait_for("up")
        first.stop()
        second = start(links, told, settings(town), will=Will(health, b"cut"))
        told.wait_for("up", count=2)
        second.connect_anew()
        told.wait_for("up", count=3)
        second.publish(health, b"back", qos=1)
        watcher.wait_for(b"back")
        sock = second._client.socket()
        assert sock
        sock.close()
        watcher.wait_for(b"cut")

        assert [b"back", b"cut"] == [payload for topic, payload in watcher.received if topic == health]


# paho's thread is meant to die here, and leaves its old wake-up sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_link_starts_again_when_a_malformed_packet_ended_its_thread(
    town: Town, links: list[PahoLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    link = start(links, told, settings(town))
    told.wait_for("up")

    def choke() -> None:
        raise ValueError("a packet that paho cannot read")

    with monkeypatch.context() as patch:
        patch.setattr(link._client, "_packet_handle", choke)
        link.publish(OWN, b"x", qos=1, token="in between")
        assert link._thread
        link._thread.join(DEADLINE_S)
        assert not link._thread.is_alive()
    link.publish(OWN, b"y", qos=0)
    told.wait_for_down("malformed packet")
    told.wait_for("up", count=2)
    told.wait_for("published", "in between")


def test_link_takes_new_subscriptions_while_connected(town: Town, links: list[PahoLink]) -> None:
    told = Told()
    link = start(links, told, settings(town))
    told.wait_for("up")
    link.subscribe_to([FRAMES])
    for n in range(100):
        link.publish(OWN, b"x", qos=1, token=n)
        told.wait_for("published", n)
        if ("message", OWN, b"x") in told.calls:
            break
    told.wait_for("message", OWN, b"x")


def test_link_refuses_files_it_cannot_use(quiet_town: Town) -> None:
    handlers = LinkHandlers(lambda: None, lambda _d, _p: None, lambda _t, _p, _s: None, lambda _t: None)
    missing = settings(quiet_town, ca_file="nowhere.pem")
    with pytest.raises(ConfigError, match=r"nowhere\.pem: the CA certificate cannot be read"):
        PahoLink(missing, SHOP, handlers)
    (quiet_town.folder(SHOP) / "client.key").write_bytes((quiet_town.folder(PUB) / "client.key").read_bytes())
    with pytest.raises(ConfigError, match="not the key of"):
        PahoLink(settings(quiet_town), SHOP, handlers)


def test_link_resolves_paths_from_the_configurations_folder() -> None:
    found = LinkSettings(host="h", ca_file="a", certificate_file="b/c", key_file="/d").resolved(Path("/etc/x"))

    assert ("/etc/x/a", "/etc/x/b/c", "/d") == (found.ca_file, found.certificate_file, found.key_file)


@pytest.mark.finding(1)
def test_signature_outlives_a_restart_of_the_broker(quiet_town: Town, links: list[PahoLink]) -> None:
    """It waits in the session of one that is away, as the message does."""
    signature = "s" * 88
    told, away = Told(), Told()
    quiet_town.broker.start()
    try:
        first = start(links, away, settings(quiet_town, BOTH), BOTH, subscriptions=[FRAMES])
        away.wait_for("up")
        first.stop()
        link = start(links, told, settings(quiet_town))
        told.wait_for("up")
        link.publish(OWN, b"signed", qos=1, token=1, signature=signature)
        link.publish(OWN, b"unsigned", qos=1, token=2)
        told.wait_for("published", 2)
        link.stop()
        quiet_town.broker.stop()
        quiet_town.broker.start()
        start(links, away, settings(quiet_town, BOTH), BOTH, subscriptions=[FRAMES])
        away.wait_for("message", OWN, b"signed", signature)
        away.wait_for("message", OWN, b"unsigned")
    finally:
        quiet_town.broker.stop()


@pytest.mark.finding(1)
def test_last_will_bears_the_signature_made_beforehand(town: Town, links: list[PahoLink]) -> None:
    health, told, central = f"watchlink/1/node/{SHOP}/up/health", Told(), Told()
    up = "watchlink/1/node/+/up/+"
    start(links, central, settings(town, "central"), "00000001", subscriptions=[up])
    central.wait_for("up")
    link = start(links, told, settings(town), will=Will(health, b"lost", "w" * 88))
    told.wait_for("up")
    sock = link._client.socket()
    assert sock
    sock.close()
    central.wait_for("message", health, b"lost", "w" * 88)


@pytest.mark.finding(17)
@pytest.mark.parametrize("qos", [0, 1])
def test_what_waits_for_a_frozen_broker_is_bounded_in_bytes(town: Town, links: list[PahoLink], qos: int) -> None:
    """It made central two and a half times as large."""
    told = Told()
    link = start(links, told, settings(town), max_queued=100_000)
    told.wait_for("up")
    with town.broker.frozen():
        taken = [link.publish(OWN, bytes(32_000), qos=qos, token=n) for n in range(2_000)]
    assert sum(taken) * 32_000 <= 20 * 1024 * 1024
    wait_until(lambda: link.publish(OWN, b"after", qos=1, token="after"), "there is room again")
    told.wait_for("published", "after")


def test_broker_outlives_a_member_that_was_away_while_it_read_its_rules(
    monkeypatch: pytest.MonkeyPatch, quiet_town: Town, links: list[PahoLink]
) -> None:
    """It lists a session that may expire once more at each SIGHUP, and reads the entry when its memory is freed."""
    # What glibc frees it overwrites, so that a broker that reads it ends at once, and not some day.
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.perturb=165")
    town = quiet_town
    town.broker.start()
    neighbour = Told()
    stays = start(links, neighbour, settings(town))
    neighbour.wait_for("up")
    away = Told()
    link = start(links, away, settings(town, PUB), PUB)
    away.wait_for("up")
    link.stop()
    town.broker.read_rules_anew()
    assert stays.publish(OWN, b"wakes the broker, which reads its rules then", qos=1, token="t")
    neighbour.wait_for("published", "t")

    back = Told()
    start(links, back, settings(town, PUB), PUB)
    back.wait_for("up")
    # Once a second it looks for sessions that are over.
    time.sleep(2.5)

    assert town.broker.is_running
    assert [("up",)] == back.calls
    assert [("up",), ("published", "t")] == neighbour.calls
    town.broker.stop()


@pytest.mark.finding(14)
def test_little_waits_before_a_receipt_where_a_reader_is_slow(town: Town, links: list[PahoLink]) -> None:
    """The kernel held 5.5 MB of junk unread, and a receipt came half a minute late."""
    told, other, may_go_on, before = Told(), Told(), threading.Event(), 0

    def slow(_topic: str, payload: bytes, _signature: str | None) -> None:
        nonlocal before
        may_go_on.wait()
        before += payload != b"receipt"
        if payload == b"receipt":
            told.note("receipt")

    start(links, told, settings(town, keepalive_s=1_200), subscriptions=[FRAMES], on_message=slow)
    flooder = start(links, other, settings(town, BOTH), BOTH)
    told.wait_for("up")
    other.wait_for("up")
    topic = f"watchlink/1/scheme/hart/frame/{BOTH}"
    for _ in range(60_000):
        wait_until(lambda: flooder.publish(topic, bytes(100)), "there is room")
    # The broker has had them all, in order: what it took only now, the reader would make room for.
    wait_until(lambda: flooder.publish(topic, bytes(100), qos=1, token="the last"), "there is room")
    other.wait_for("published", "the last")
    may_go_on.set()
    # Again and again, for the broker drops what comes while its queue of 6,000 for a reader is full.
    wait_until(lambda: flooder.publish(topic, b"receipt") and ("receipt",) in told.calls, "the receipt")

    assert before < 22_000
