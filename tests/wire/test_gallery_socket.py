from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, get_args

import pytest

from wire.errors import EncodeError
from wire.gallery_socket import (
    FACE_BYTES_MAX,
    LINE_BYTES_MAX,
    PICTURE_BYTES_MAX,
    Accepted,
    AlertAsked,
    Hello,
    Neighbour,
    NodeLine,
    NotRaised,
    PanelFace,
    SocketLineError,
    decode_asked,
    decode_said,
    encode_line,
)
from wire.kinds import AlertKind, LeftWhenAsked

PAGE: Final = (Path(__file__).parents[2] / "docs" / "gallery-socket.md").read_text(encoding="utf-8")
ASKED: Final = AlertAsked(request=bytes(range(0x50, 0x60)).hex(), kind="breach", scheme=1, person=42, left="no")


def test_line_asked_for_comes_back_as_it_was() -> None:
    assert ASKED == decode_asked(encode_line(ASKED))
    assert (AlertKind.BREACH, LeftWhenAsked.NO) == (ASKED.alert_kind, ASKED.answer)


def test_face_may_be_longer_than_an_alert_and_no_longer_than_a_picture() -> None:
    face = PanelFace(visit=7, lines=("HART-0042",), picture=bytes(PICTURE_BYTES_MAX))
    assert face == decode_asked(encode_line(face))

    padded = encode_line(ASKED)[:-2] + b" " * LINE_BYTES_MAX + b"}\n"
    with pytest.raises(SocketLineError):
        decode_asked(padded)
    with pytest.raises(SocketLineError):
        decode_asked(encode_line(face)[:-2] + b" " * FACE_BYTES_MAX + b"}\n")
    too_large = PanelFace(visit=7, picture=bytes(PICTURE_BYTES_MAX + 1))
    with pytest.raises(SocketLineError):
        decode_asked(encode_line(too_large))


def test_sighting_has_no_answer() -> None:
    sighting = AlertAsked(request="50" * 16, kind="sighting", scheme=1, person=42)

    assert (AlertKind.SIGHTING, LeftWhenAsked.NOT_ASKED) == (sighting.alert_kind, sighting.answer)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "attack"},
        {"type": "cancel"},
        {"kind": "attack"},
        {"kind": "sighting"},
        {"left": None},
        {"left": "maybe"},
        {"person": 0},
        {"person": 2**32},
        {"scheme": 0},
        {"scheme": 65_536},
        {"scheme": [1, 2]},
        {"request": "50"},
        {"request": "5" * 31 + "\n"},
    ],
    ids=str,
)
def test_node_takes_nothing_but_an_alert_about_one_person_of_one_scheme(change: dict[str, object]) -> None:
    raw = {**json.loads(encode_line(ASKED)), **change}

    with pytest.raises(SocketLineError):
        decode_asked(json.dumps(raw).encode() + b"\n")


@pytest.mark.parametrize("data", [b"", b"\n", b"{}", b"[]", b"\xff\xfe\n", b"[" * 1_000, b" " * (LINE_BYTES_MAX + 1)])
def test_garbage_is_refused_both_ways(data: bytes) -> None:
    for read in (decode_asked, decode_said):
        with pytest.raises(SocketLineError):
            read(data)


def test_gallery_leaves_out_what_only_a_newer_node_says() -> None:
    assert decode_said(b'{"type":"weather","at_s":1}') is None
    assert Hello(version=2, node="00000010") == decode_said(b'{"type":"hello","version":2,"node":"00000010","moon":1}')


def test_longest_line_of_ours_fits() -> None:
    long = Neighbour(
        incident="ffffffff-4294967295",
        kind="sighting",
        scheme=65_535,
        person=2**32 - 1,
        premises="\U0001f600" * 64,
        place="\U0001f600" * 64,
        at_s=2**32 - 1,
        is_late=True,
    )

    assert long == decode_said(encode_line(long))


def test_line_that_no_reader_takes_is_not_written() -> None:
    with pytest.raises(EncodeError):
        encode_line(Accepted(request="5" * LINE_BYTES_MAX, incident="00000010-7", alert="00000010-7"))


def test_page_shows_lines_that_are_read_and_names_every_type_and_reason() -> None:
    shown = [line for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    asked = [line for line in shown if '"type":"alert"' in line]
    said = [decode_said(line.encode()) for line in shown if line not in asked]

    assert [ASKED] == [decode_asked(line.encode()) for line in asked]
    assert None not in said
    assert {"Accepted", "Ended", "Neighbour", "Progress"} <= {type(line).__name__ for line in said}
    for kind in get_args(NodeLine):
        assert f"| `{kind.__struct_config__.tag}` | {', '.join(f'`{f}`' for f in kind.__struct_fields__)} |" in PAGE
    for reason in NotRaised:
        assert f"| `{reason.value}` |" in PAGE
