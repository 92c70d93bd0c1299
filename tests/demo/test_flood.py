"""What the script *flood* judges beside the presses: that each flood was a flood."""

from __future__ import annotations

import io
import itertools
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest

from demo.flood import flooder
from demo.flood.line import check_connack, publication
from demo.flood.play import Pressers, Stretch, _tell

pytestmark = pytest.mark.finding(14)


@pytest.mark.parametrize(
    ("answer", "is_accepted"),
    [
        (b"\x20\x03\x00\x00\x00", True),
        (b"\x20\x03\x00\x87\x00", False),  # not authorised
        (b"\x20\x03\x00\x89\x00", False),  # server busy
        (b"\xe0\x01\x8b", False),  # a DISCONNECT
        (b"", False),
    ],
    ids=["success", "not authorised", "busy", "disconnect", "closed"],
)
def test_line_is_a_connection_only_if_the_broker_says_so(answer: bytes, is_accepted: bool) -> None:  # noqa: FBT001
    if is_accepted:
        check_connack(answer)
    else:
        with pytest.raises(ConnectionRefusedError):
            check_connack(answer)


@pytest.mark.parametrize(
    ("packet_id", "packet"), [(None, "30 08 0003 612f62 00 7879"), (0x1234, "32 0a 0003 612f62 1234 00 7879")]
)
def test_publication_asks_for_a_puback_if_it_has_an_id(packet_id: int | None, packet: str) -> None:
    """MQTT 5, section 3.3."""
    assert bytes.fromhex(packet) == publication("a/b", b"xy", packet_id=packet_id)


class Refusing:
    """A broker that accepts only the connections of these numbers, and drops each after a write."""

    def __init__(self, accepted: set[int]) -> None:
        self.accepted = accepted
        self.numbers = itertools.count(1)

    def __call__(self, *_: object) -> Self:
        if next(self.numbers) not in self.accepted:
            raise ConnectionRefusedError
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, _data: bytes) -> None:
        raise ConnectionResetError


@pytest.mark.parametrize(("accepted", "status"), [({2}, 0), (set(), 1)], ids=["once", "never"])
def test_flooder_fails_if_the_broker_never_accepted_it(
    accepted: set[int],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "signing.key").write_text("07" * 32)
    moments = itertools.count()
    monkeypatch.setattr(flooder, "time", SimpleNamespace(monotonic=lambda: float(next(moments))))
    monkeypatch.setattr(flooder, "Line", Refusing(accepted))
    stolen = [str(tmp_path), "00000011", str(tmp_path), "00000012"]
    monkeypatch.setattr(sys, "argv", ["flooder", "junk on the frame topic", *stolen, "hall", "8883", "9"])

    assert status == flooder.main()
    assert f"0 bytes in {len(accepted)} connections" in capsys.readouterr().out


@pytest.mark.parametrize("is_played", [True, False])
def test_flood_that_never_came_fails_the_script(is_played: bool) -> None:  # noqa: FBT001
    pressers = Pressers()
    stretches = [Stretch("quiet", 0, 1, [10.0]), Stretch("junk", 1, 2, [10.0], is_played=is_played)]
    out, said = io.StringIO(), io.StringIO()

    assert is_played is _tell(stretches, pressers, out, is_json=True, seconds=1)
    assert ([] if is_played else ["junk"]) == json.loads(out.getvalue().splitlines()[-1])["not_played"]
    assert is_played is _tell(stretches, pressers, said, is_json=False, seconds=1)
    assert is_played is ("junk: the broker never accepted the flooder" not in said.getvalue())
