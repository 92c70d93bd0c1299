"""Whatever a broker forwards becomes a fact or a counted reason; nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.events import FrameArrived, HealthArrived, InputRejected, SyncArrived
from central.net.inbox import Published
from central.net.reading import Reader
from wire.errors import REASONS
from wire.ids import NodeId
from wire.kinds import Path
from wire.messages import Health, Sync, encode_message
from wire.topics import FrameTopic

NODE = NodeId(0x10)
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
    reader = Reader()

    assert [fact, fact] == [reader.read(message), reader.read(message)]


@given(st.text(), st.binary(max_size=200), st.booleans())
def test_reader_never_raises(topic: str, payload: bytes, is_oversized: bool) -> None:  # noqa: FBT001 - Hypothesis
    for prefix in ("", "watchlink/1/node/00000010/up/", "watchlink/1/scheme/hart/frame/"):
        fact = Reader().read(Published(prefix + topic, payload, is_oversized))

        assert not isinstance(fact, InputRejected) or fact.reason in REASONS


@given(st.binary(max_size=400))
def test_reader_never_raises_at_a_health(payload: bytes) -> None:
    fact = Reader().read(Published(HEALTH_TOPIC, payload))

    assert isinstance(fact, HealthArrived | InputRejected)
