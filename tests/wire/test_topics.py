from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.wire.conftest import any_topic
from wire.errors import TopicError
from wire.ids import NodeId
from wire.limits import TOPIC_BYTES_MAX
from wire.topics import (
    ALL_FRAMES,
    ALL_HEALTH,
    ALL_UP,
    CentralTopic,
    Down,
    DownTopic,
    FrameTopic,
    IncidentTopic,
    Topic,
    Up,
    UpTopic,
    all_down,
    parse_topic,
    scheme_frames,
)

LEVELS = st.sampled_from(
    [
        "watchlink",
        "1",
        "2",
        "scheme",
        "node",
        "hart",
        "frame",
        "incident",
        "central",
        "up",
        "down",
        "health",
        "sync",
        "receipt",
        "00000010",
        "00000000",
        "0000001A",
        "",
        "+",
        "#",
        "$SYS",
        "\u202e",
        "\ufeff",
        "\x00",
        "١",
    ]
)


def assert_read_or_refused_in_our_terms(text: str) -> None:
    try:
        topic = parse_topic(text)
    except TopicError as e:
        reason = e.reason
    else:
        assert text == str(topic)
        return
    assert reason in {"topic", "topic prefix", "topic too long"}


def is_matched(subscription: str, topic: str) -> bool:
    """MQTT 5, section 4.7: ``+`` stands for one level."""
    wanted, given_levels = subscription.split("/"), topic.split("/")
    return len(wanted) == len(given_levels) and all(w in {"+", g} for w, g in zip(wanted, given_levels, strict=True))


@given(any_topic)
def test_topic_comes_back_as_it_went(topic: Topic) -> None:
    assert topic == parse_topic(str(topic))
    assert len(str(topic)) <= TOPIC_BYTES_MAX


def test_words_of_topics_never_change() -> None:
    """The broker's ACL and every node in the field have them: a change here is a change of the contract's version."""
    node = NodeId(0x10)
    of_scheme = (FrameTopic("hart", node), IncidentTopic("hart"), CentralTopic("hart"))
    of_node = (*(UpTopic(node, up) for up in Up), *(DownTopic(node, down) for down in Down))

    assert [
        "watchlink/1/scheme/hart/frame/00000010",
        "watchlink/1/scheme/hart/incident",
        "watchlink/1/scheme/hart/central",
        "watchlink/1/node/00000010/up/health",
        "watchlink/1/node/00000010/up/sync",
        "watchlink/1/node/00000010/up/heard",
        "watchlink/1/node/00000010/down/receipt",
        "watchlink/1/node/00000010/down/ack",
        "watchlink/1/node/00000010/down/sync",
        "watchlink/1/node/00000010/down/directory",
        "watchlink/1/node/00000010/down/settings",
        "watchlink/1/node/00000010/down/air",
    ] == [*map(str, of_scheme), *map(str, of_node)]


@given(any_topic)
def test_topic_fed_byte_by_byte_is_read_only_whole_or_as_another(topic: Topic) -> None:
    for length in range(len(str(topic))):
        assert_read_or_refused_in_our_terms(str(topic)[:length])


@given(any_topic, st.data())
def test_topic_with_anything_cut_out_put_in_or_changed_is_read_or_refused(topic: Topic, data: st.DataObject) -> None:
    whole = str(topic)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))

    assert_read_or_refused_in_our_terms(whole[:start] + data.draw(st.text(max_size=10)) + whole[end:])


@given(st.lists(LEVELS | st.text(max_size=6), max_size=8))
def test_parse_topic_of_any_levels_gives_a_topic_or_our_error(levels: list[str]) -> None:
    assert_read_or_refused_in_our_terms("/".join(levels))
    assert_read_or_refused_in_our_terms("watchlink/1/" + "/".join(levels))


@given(st.text(st.characters()))
def test_parse_topic_of_any_text_gives_a_topic_or_our_error(text: str) -> None:
    """Surrogates too: a binding may hand over what a broker never would."""
    assert_read_or_refused_in_our_terms(text)


@pytest.mark.parametrize("level", ["h", "é", "/", "watchlink/1/", "\ud800"])
def test_parse_topic_refuses_the_longest_topic_mqtt_allows(level: str) -> None:
    text = "watchlink/1/scheme/" + level * 65_535
    with pytest.raises(TopicError) as caught:
        parse_topic(text[:65_535])

    assert "topic too long" == caught.value.reason
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(("more", "reason"), [(0, "topic"), (1, "topic too long")])
def test_parse_topic_says_too_long_from_the_first_byte_over_its_limit(more: int, reason: str) -> None:
    """The limit counts bytes, and itself is not too long."""
    text = "watchlink/1/scheme/é".ljust(TOPIC_BYTES_MAX - 1 + more, "h")

    with pytest.raises(TopicError) as caught:
        parse_topic(text)

    assert reason == caught.value.reason


@given(st.from_type(FrameTopic), st.from_type(UpTopic))
def test_subscriptions_match_exactly_what_is_published_under_them(frame: FrameTopic, up: UpTopic) -> None:
    assert is_matched(ALL_FRAMES, str(frame))
    assert is_matched(scheme_frames(frame.scheme), str(frame))
    assert not is_matched(scheme_frames(frame.scheme + "x"), str(frame))
    assert is_matched(ALL_UP, str(up))
    assert not is_matched(ALL_UP, str(frame))
    assert not is_matched(all_down(up.node), str(up))
    assert is_matched(all_down(up.node), str(up).replace("/up/", "/down/"))


def test_topic_of_another_nodes_down_channel_is_not_matched() -> None:
    """What central says to one node is not read by another."""
    assert not is_matched(all_down(NodeId(16)), "watchlink/1/node/00000011/down/receipt")


@given(st.from_type(NodeId).filter(bool))
def test_subscription_to_health_is_to_every_nodes_health_and_nothing_else(node: NodeId) -> None:
    assert [Up.HEALTH] == [up for up in Up if is_matched(ALL_HEALTH, str(UpTopic(node, up)))]
