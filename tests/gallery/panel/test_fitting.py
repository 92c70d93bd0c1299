"""Whoever fits a tablet reads on the panel what to type and which certificate is the town's, without signing in."""

from __future__ import annotations

import hashlib

import pytest
from msgspec.structs import replace

from gallery.core.readable import Why
from gallery.panel.fitting import LINE_CHARS_MAX, Fitting
from gallery.panel.visit import (
    HEADLINE_CHARS_MAX,
    Face,
    Key,
    Leave,
    Listed,
    Step,
    Visit,
    begin,
    face,
    press,
)

FINGERPRINT = hashlib.sha256(b"nobody").digest().hex(":").upper()
FITTING = Fitting(FINGERPRINT, "192.168.1.20", 80)


def turned(*keys: Key, fitting: Fitting = FITTING, listed: Listed = Listed()) -> Visit:  # noqa: B008 - frozen
    visit = begin(listed, fitting)
    for key in keys:
        visit, order = press(visit, key)
        assert order is None
    return visit


def test_panel_shows_what_to_type_and_both_ends_of_the_fingerprint() -> None:
    assert Face(("FIT TABLET",), ("192.168.1.20/fit", "▲to compare")) == face(turned(Key.UP))
    begun, ended = face(turned(Key.UP, Key.UP)).lines

    assert ("…", "…") == (begun[-1], ended[0])
    assert FINGERPRINT.startswith(begun[:-1])
    assert FINGERPRINT.endswith(ended[1:])
    pairs = f"{begun[:-1]}:{ended[1:]}".split(":")
    assert 14 == len(pairs), "nobody makes another certificate with 112 bits of it"


@pytest.mark.parametrize("why", [None, Why.NO_CONTACT])
def test_way_to_it_is_open_whether_or_not_anybody_may_be_shown(why: Why | None) -> None:
    listed = Listed(off=why)

    assert Step.FITTING is turned(Key.UP, listed=listed).step
    assert Step.LOCKED is turned(Key.UP, Key.BACK, listed=listed).step
    assert Step.LOCKED is turned(Key.UP, Key.UP, Key.BACK, listed=listed).step
    assert Step.LOCKED is turned(Key.UP, Key.UP, Key.UP, listed=listed).step
    visit, order = press(turned(listed=listed), Key.BACK)
    assert (Step.OVER, Leave()) == (visit.step, order)


@pytest.mark.parametrize(
    ("fitting", "lines"),
    [
        (replace(FITTING, fingerprint=""), ("No certificate yet", "Is there a network?")),
        (replace(FITTING, address=""), ("No network address", "Is the cable in?")),
        (replace(FITTING, port=None), ("No port for tablets", "Call the engineer")),
        (Fitting(), ("No port for tablets", "Call the engineer")),
    ],
)
def test_unit_at_which_no_tablet_can_be_fitted_says_why(fitting: Fitting, lines: tuple[str, str]) -> None:
    assert Face(("FIT TABLET",), lines) == face(turned(Key.UP, fitting=fitting))
    assert Step.LOCKED is turned(Key.UP, Key.UP, fitting=fitting).step, "there is nothing to compare"


@pytest.mark.parametrize(
    ("address", "port", "typed"),
    [
        ("192.168.100.200", 80, "192.168.100.200/fit"),
        ("10.0.0.5", 8445, "10.0.0.5:8445/fit"),
        ("192.168.100.200", 8445, "192.168.100.200:8445"),
        ("192.168.100.200", 65_535, "192.168.100.200:65535"),
    ],
)
def test_every_address_fits_the_panel(address: str, port: int, typed: str) -> None:
    fitting = Fitting(FINGERPRINT, address, port)
    for keys in ((Key.UP,), (Key.UP, Key.UP)):
        shown = face(turned(*keys, fitting=fitting))
        assert max(map(len, shown.headline)) <= HEADLINE_CHARS_MAX
        assert max(map(len, shown.lines)) <= LINE_CHARS_MAX

    assert typed == face(turned(Key.UP, fitting=fitting)).lines[0]
