"""N8: a way of sending that does not work is one rung of the ladder less, and no more. Children are made up here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.core.air import LADDER, Mode
from node.net.radio import codec as codec_module
from node.net.radio.codec import Codec
from node.net.radio.direwolf import Modem
from node.net.radio.errors import CodecError, EncodeStopped
from runtime.monotonic import monotonic_ms
from wire.ids import NodeId

FAST, STRONG, SLOW = LADDER


class FakeDireWolf:
    """A child that encodes its mode's name, unless it is one of the broken ones; its probe is never proven."""

    broken: frozenset[Mode] = frozenset()
    busy_until_ms = 0
    is_stuck = False
    has_begun = False
    kiss_descriptor = -1
    pid = 1

    def __init__(self, modem: Modem) -> None:
        self.modem = modem
        if modem.mode in self.broken:
            raise CodecError(f"no {modem.mode}")

    def exit_detail(self) -> str | None:
        return None

    def is_listening(self) -> bool:
        return False

    def await_listening(self, is_stopped: Callable[[], bool]) -> None:
        if is_stopped():
            raise EncodeStopped

    def encode(self, ax25: tuple[bytes, ...], least_bytes: int, is_stopped: Callable[[], bool]) -> bytes:
        assert ax25, least_bytes
        assert not is_stopped()
        return self.modem.mode.encode()

    def close(self) -> None:
        pass


@pytest.fixture
def make_codec(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Codec]:
    def made(*broken: Mode) -> Codec:
        monkeypatch.setattr(FakeDireWolf, "broken", frozenset(broken))
        monkeypatch.setattr(codec_module, "DireWolf", FakeDireWolf)
        codec = Codec(NodeId(0x10), lambda _: None, lambda _: None)
        codec.step(0, is_quiet=True)
        return codec

    return made


@pytest.mark.parametrize(
    ("broken", "asked", "sent"),
    [
        ((), STRONG, STRONG),
        ((STRONG,), FAST, FAST),
        ((STRONG,), STRONG, SLOW),
        ((SLOW,), SLOW, STRONG),
        ((STRONG, SLOW), SLOW, FAST),
        ((FAST,), FAST, STRONG),
    ],
)
def test_codec_takes_the_next_rung_where_one_is_missing(
    make_codec: Callable[..., Codec], broken: tuple[Mode, ...], asked: Mode, sent: Mode
) -> None:
    """Stronger rather than weaker."""
    codec = make_codec(*broken)

    assert sent.encode() == codec.encode(asked, (b"x",), lambda: False)


@pytest.mark.finding(9)
@pytest.mark.parametrize("broken", [(FAST,), (FAST, STRONG), (FAST, SLOW)])
def test_others_carry_on_without_the_first_rung(make_codec: Callable[..., Codec], broken: tuple[Mode, ...]) -> None:
    codec = make_codec(*broken)

    assert codec.problem is None
    assert [f"{mode}: no {mode}" for mode in broken] == list(codec.problems)


@pytest.mark.finding(9)
def test_second_modem_of_1200_baud_listens_where_the_first_is_gone(make_codec: Callable[..., Codec]) -> None:
    """It hears every mode of its baud rate; while the first runs, one is enough."""
    both, one = make_codec(), make_codec(FAST)

    assert [{FAST, SLOW}, {STRONG, SLOW}] == [{child.modem.mode for child in c._receivers()} for c in (both, one)]


@pytest.mark.parametrize(("broken", "is_problem"), [((STRONG, SLOW), False), (LADDER, True), ((), False)])
def test_codec_is_of_no_use_only_without_any_rung(
    make_codec: Callable[..., Codec], *, broken: tuple[Mode, ...], is_problem: bool
) -> None:
    codec = make_codec(*broken)

    assert is_problem is (codec.problem is not None)
    assert [f"{mode}: no {mode}" for mode in broken] == list(codec.problems)


def test_codec_without_any_rung_tells_of_the_one_that_was_asked_for(make_codec: Callable[..., Codec]) -> None:
    codec = make_codec(*LADDER)

    with pytest.raises(CodecError, match=f"no {STRONG}"):
        codec.encode(STRONG, (b"x",), lambda: False)


def test_burst_that_is_not_wanted_any_more_is_made_in_no_other_mode(make_codec: Callable[..., Codec]) -> None:
    codec = make_codec()

    with pytest.raises(EncodeStopped):
        codec.encode(FAST, (b"x",), lambda: True)


def test_codec_that_closes_waits_for_no_echo_and_starts_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops the program ends the children with it: a slow unit was still proving and restarting them."""
    started, waits = list[Mode](), list[int]()

    class Deaf(FakeDireWolf):
        """The codec is asked to close while it waits for this one's echo, and all children end."""

        def __init__(self, modem: Modem) -> None:
            super().__init__(modem)
            started.append(modem.mode)

        def exit_detail(self) -> str | None:
            return "killed" if waits else None

        def is_listening(self) -> bool:
            return True

        def feed_patiently(self, samples: bytes, timeout_ms: int, is_stopped: Callable[[], bool]) -> None:
            assert samples, timeout_ms
            assert not is_stopped()

        def wait_received(self, timeout_ms: int) -> list[bytes]:
            waits.append(timeout_ms)
            return []

    monkeypatch.setattr(codec_module, "DireWolf", Deaf)
    codec = Codec(NodeId(0x10), lambda _: None, lambda _: None, lambda: bool(waits))
    for _ in range(3):
        codec.step(monotonic_ms(), is_quiet=True)

    assert (list(LADDER), 1, ()) == (sorted(started, key=LADDER.index), len(waits), codec.problems)
