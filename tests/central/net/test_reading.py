"""Whatever a broker forwards becomes a fact or a counted reason; nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from central.core.events import FrameArrived, HealthArrived, InputRejected, SyncArrived
from central.net.inbox import Published
from central.net.reading import Reader
from tests.support.central_town import BAKERY, CORNER, KEYS, make_directory, opened
from wire.errors import REASONS
from wire.ids import NodeId
from wire.kinds import Path
from wire.messages import Health, Sync, encode_message
from wire.signing import sign_message
from wire.topics import FrameTopic

NODE = NodeId(0x10)
TOWN = opened(make_directory())
SIGNING = replace(TOWN, senders={node: replace(sender, signs=True) for node, sender in TOWN.senders.items()})
FRAME_TOPIC = "watchlink/1/scheme/hart/frame/00000010"
HEALTH_TOPIC = "watchlink/1/node/00000010/up/health"
HEARD_TOPIC = "watchlink/1/node/00000010/up/heard"
HEALTH = Health(state="armed", boot_id="n1")


@pytest.mark.parametrize(
    ("message", "fact"),
    [
        (Published(FRAME_TOPIC, b"frame"), FrameArrived(b"frame", FrameTopic("hart", NODE), Path.NETWORK)),
        (Published(HEALTH_TOPIC, encode_message(HEALTH)), HealthArrived(NODE, HEALTH)),
        (
            Published("watchlink/1/node/00000010/up/sync", encode_message(Sync(boot_id="n1"))),
            SyncArrived(NODE, Sync(boot_id="n1")),
        ),
        (Published(HEARD_TOPIC, b"frame"), FrameArrived(b"frame", None, Path.RADIO, NODE)),
        (Published(HEARD_TOPIC, b"", is_oversized=True), InputRejected("too long", NODE)),
        (Published("watchlink/1/node/00000010/down/air", b"frame"), InputRejected("topic", None)),
        (Published(HEALTH_TOPIC, b'{"state":7}'), InputRejected("message field", NODE)),
        (Published(HEALTH_TOPIC, b"\xff\xfe{"), InputRejected("message json", NODE)),
        (Published(HEALTH_TOPIC, b"", is_oversized=True), InputRejected("message too large", NODE)),
        (Published(FRAME_TOPIC, b"", is_oversized=True), InputRejected("too long", NODE)),
        (Published("watchlink/1/node/00000010/down/ack", b""), InputRejected("topic", None)),
        (Published("watchlink/1/node/00000010/up/\u202ehealth", b""), InputRejected("topic", None)),
        (Published("x" * 65_535, b"", is_oversized=True), InputRejected("topic too long", None)),
        (Published("", b""), InputRejected("topic prefix", None)),
    ],
)
def test_reader_gives_the_fact_or_the_reason(message: Published, fact: object) -> None:
    reader = Reader(lambda: TOWN)

    assert [fact, fact] == [reader.read(message), reader.read(message)]


@given(st.text(), st.binary(max_size=200), st.booleans())
def test_reader_never_raises(topic: str, payload: bytes, is_oversized: bool) -> None:  # noqa: FBT001 - Hypothesis
    for prefix in ("", "watchlink/1/node/00000010/up/", "watchlink/1/scheme/hart/frame/"):
        fact = Reader(lambda: TOWN).read(Published(prefix + topic, payload, is_oversized))

        assert not isinstance(fact, InputRejected) or fact.reason in REASONS


@given(st.binary(max_size=400))
def test_reader_never_raises_at_a_health(payload: bytes) -> None:
    fact = Reader(lambda: TOWN).read(Published(HEALTH_TOPIC, payload))

    assert isinstance(fact, HealthArrived | InputRejected)


SYNC_TOPIC = "watchlink/1/node/00000010/up/sync"
SAID = {
    "health": (HEALTH_TOPIC, encode_message(HEALTH)),
    "last will": (HEALTH_TOPIC, encode_message(Health(state="lost", boot_id="n1"))),
    "sync": (SYNC_TOPIC, encode_message(Sync(boot_id="n1"))),
    "heard": (HEARD_TOPIC, b"frame"),
}
each_signed_type = pytest.mark.parametrize(("topic", "payload"), SAID.values(), ids=SAID.keys())


@pytest.mark.finding(1)
@each_signed_type
def test_reader_takes_from_a_node_that_signs_only_what_it_signed(topic: str, payload: bytes) -> None:
    """No unsigned fall-back: a broker could say anything in its name."""
    reader = Reader(lambda: SIGNING)
    signature = sign_message(KEYS[CORNER], topic, payload)
    lies = {
        "unsigned": (topic, payload, None),
        "another signer": (topic, payload, sign_message(KEYS[BAKERY], topic, payload)),
        "another node's": (topic.replace("00000010", "00000011"), payload, signature),
        "another channel's": (topic, payload, sign_message(KEYS[CORNER], topic + "x", payload)),
        "other words": (topic, payload.replace(b"n1", b"n2").replace(b"frame", b"framf"), signature),
    }
    told = {name: reader.read(Published(t, p, signature=s)) for name, (t, p, s) in lies.items()}

    assert {"unsigned": "unsigned", **dict.fromkeys(list(lies)[1:], "signature")} == {
        name: fact.reason if isinstance(fact, InputRejected) else fact for name, fact in told.items()
    }
    fact = reader.read(Published(topic, payload, signature=signature))
    assert not isinstance(fact, InputRejected)
    assert getattr(fact, "is_signed", True)


@pytest.mark.finding(1)
@each_signed_type
def test_reader_takes_nothing_unsigned_in_the_name_of_a_node_that_signs(topic: str, payload: bytes) -> None:
    fact = Reader(lambda: SIGNING).read(Published(topic, payload))

    assert isinstance(fact, InputRejected)


@pytest.mark.finding(1)
@each_signed_type
def test_reader_takes_an_old_version_at_its_topics_word(topic: str, payload: bytes) -> None:
    fact = Reader(lambda: TOWN).read(Published(topic, payload))

    assert not isinstance(fact, InputRejected)
    assert not getattr(fact, "is_signed", False)
