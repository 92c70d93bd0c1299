from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest
from msgspec.structs import replace

from wire.errors import EncodeError
from wire.notices import (
    ENDPOINT_CHARS_MAX,
    LINE_BYTES_MAX,
    VALID_S_MAX,
    CalledOff,
    CentralLine,
    Delivered,
    Hello,
    Notice,
    NoticeLineError,
    NotifierLine,
    Reason,
    Subscription,
    decode_ordered,
    decode_reported,
    encode_notice_line,
)

PAGE: Final = (Path(__file__).parents[2] / "docs" / "notices.md").read_text(encoding="utf-8")
TEXT: Final = Notice(
    request=bytes(range(0x50, 0x60)).hex(),
    account=7,
    way="sms",
    to="+447700900123",
    priority=1,
    occasion="alert",
    reference="Zk3vQ0p1",
    valid_s=30,
)
ENDPOINT: Final = "https://push.example.net/"
PUSH: Final = Notice(
    request=TEXT.request,
    account=2**53,
    way="push",
    subscription=Subscription(
        endpoint=ENDPOINT + "e" * (ENDPOINT_CHARS_MAX - len(ENDPOINT)), p256dh="B" * 87, auth="a" * 22
    ),
    priority=5,
    occasion="shift",
    reference="r" * 64,
    valid_s=VALID_S_MAX,
)


@pytest.mark.parametrize("line", [TEXT, PUSH, CalledOff(reference="r")], ids=lambda line: type(line).__name__)
def test_what_central_says_comes_back_as_it_was(line: CentralLine) -> None:
    assert line == decode_ordered(encode_notice_line(line))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "hello"},
        {"type": "delivered"},
        {"way": "letter"},
        {"way": "email"},
        {"way": "push"},
        {"to": None},
        {"to": "07700900123"},
        {"to": "+447700900123,+447700900124"},
        {"to": "+447700900123\n"},
        {"to": "a@b.example,c@d.example"},
        {"subscription": {"endpoint": "https://push.example.net/1", "p256dh": "B" * 87, "auth": "a" * 22}},
        {"priority": 0},
        {"priority": 6},
        {"occasion": "attack"},
        {"reference": ""},
        {"reference": "a b"},
        {"valid_s": 0},
        {"valid_s": VALID_S_MAX + 1},
        {"request": "50"},
        {"account": 0},
    ],
    ids=str,
)
def test_notifier_takes_nothing_but_a_notice_to_one_address(change: dict[str, object]) -> None:
    raw = {**json.loads(encode_notice_line(TEXT)), **change}

    with pytest.raises(NoticeLineError):
        decode_ordered(json.dumps(raw).encode() + b"\n")


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "file:///etc/passwd"},
        {"endpoint": "https://"},
        {"endpoint": "https://push.example.net/a b"},
        {"endpoint": "https://push.example.net/\r\nX: 1"},
        {"endpoint": ENDPOINT + "e" * ENDPOINT_CHARS_MAX},
        {"endpoint": ENDPOINT + '"'},
        {"endpoint": ENDPOINT + "\\"},
        {"p256dh": "B" * 86},
        {"auth": "a" * 21 + "="},
    ],
    ids=str,
)
def test_malformed_subscription_is_refused(change: dict[str, object]) -> None:
    raw = json.loads(encode_notice_line(PUSH))
    raw["subscription"] |= change

    with pytest.raises(NoticeLineError):
        decode_ordered(json.dumps(raw).encode() + b"\n")


@pytest.mark.parametrize("character", [*map(chr, range(0x21, 0x7F))])
def test_endpoint_that_is_taken_fits_into_a_line(character: str) -> None:
    """Central's thread that speaks to the notifier would end on a line that is too long: no phone would be told."""
    raw = {**json.loads(msgspec.json.encode(PUSH.subscription)), "endpoint": "https://" + 1_016 * character}
    try:
        subscription = msgspec.json.decode(json.dumps(raw), type=Subscription)
    except msgspec.ValidationError:
        return

    encode_notice_line(replace(PUSH, subscription=subscription))


@pytest.mark.parametrize("data", [b"", b"\n", b"{}", b"[]", b"\xff\xfe\n", b"[" * 1_000, b" " * (LINE_BYTES_MAX + 1)])
def test_garbage_is_refused_both_ways(data: bytes) -> None:
    for read in (decode_ordered, decode_reported):
        with pytest.raises(NoticeLineError):
            read(data)


def test_central_leaves_out_what_only_a_newer_notifier_says() -> None:
    assert decode_reported(b'{"type":"seen","request":"x"}') is None
    hello = Hello(version=2, ways=("push",), key="B" * 87)
    assert hello == decode_reported(encode_notice_line(hello)[:-2] + b',"moon":1}')


def test_line_that_no_reader_takes_is_not_written() -> None:
    with pytest.raises(EncodeError):
        encode_notice_line(Delivered(request="5" * LINE_BYTES_MAX))


def test_page_shows_lines_that_are_read_and_names_every_type_and_reason() -> None:
    shown = [line for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    ordered = [line for line in shown if '"type":"notice"' in line or '"type":"call-off"' in line]
    reported = [decode_reported(line.encode()) for line in shown if line not in ordered]

    assert [TEXT, CalledOff(reference="Zk3vQ0p1")] == [decode_ordered(line.encode()) for line in ordered]
    assert {kind.__name__ for kind in get_args(NotifierLine)} == {type(line).__name__ for line in reported}
    for kind in (*get_args(CentralLine), *get_args(NotifierLine)):
        assert f"| `{kind.__struct_config__.tag}` | {', '.join(f'`{f}`' for f in kind.__struct_fields__)} |" in PAGE
    for reason in Reason:
        assert f"| `{reason.value}` |" in PAGE
