"""How telephone numbers and addresses are read and shown (C8)."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from office.escalation.addresses import COSTLY, NOT_A_WAY, NOT_BRITISH, WayRefusedError, read_way, shown
from wire.notices import decode_ordered
from wire.snapshots import WayEntry


@pytest.mark.parametrize(
    ("typed", "kept", "read"),
    [
        ("07700 900123", "+447700900123", "07700 900123"),
        (" 07700-900.123 ", "+447700900123", "07700 900123"),
        ("+44 (0)7700 900123", "+447700900123", "07700 900123"),
        ("0044 7700 900123", "+447700900123", "07700 900123"),
        ("0116 496 0034", "+441164960034", "0116 496 0034"),
        ("(0121) 4960034", "+441214960034", "0121 496 0034"),
        ("01604 496000", "+441604496000", "01604 496000"),
        ("016977 2555", "+44169772555", "01697 72555"),
        ("020 7946 0034", "+442079460034", "020 7946 0034"),
        ("0300\u00a0123 4567", "+443001234567", "0300 123 4567"),
        ("+353 85 123 4567", "+353851234567", "+353851234567"),
        ("00353851234567", "+353851234567", "+353851234567"),
    ],
)
def test_number_is_kept_as_e164_and_shown_as_it_is_dialled(typed: str, kept: str, read: str) -> None:
    assert read_way(typed) == WayEntry(way="sms", to=kept)
    assert shown(kept) == read


@pytest.mark.parametrize("typed", ["jo@example.org", "Jo.O'Neill+alerts@mail.example.co.uk"])
def test_address_is_kept_as_typed(typed: str) -> None:
    assert read_way(f" {typed} ") == WayEntry(way="email", to=typed)
    assert shown(typed) == typed


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("07700 90012", NOT_BRITISH),
        ("07700 9001", NOT_BRITISH),
        ("07700 9001234", NOT_BRITISH),
        ("00447700", NOT_BRITISH),
        ("09011 234567", COSTLY),
        ("070 1234 5678", COSTLY),
        ("447700900123", NOT_A_WAY),
        ("+0447700900123", NOT_A_WAY),
        ("+1234567", NOT_A_WAY),
        ("+1234567890123456", NOT_A_WAY),
        ("٠٧٧٠٠٩٠٠١٢٣", NOT_A_WAY),
        ("+44٧٧٠٠٩٠٠١٢٣", NOT_A_WAY),
        ("0770O 900123", NOT_A_WAY),
        ("call me", NOT_A_WAY),
        ("+", NOT_A_WAY),
        ("jo@example", NOT_A_WAY),
        ("jo@ex ample.org", NOT_A_WAY),
        ("jo@example.org\nBcc: all@example.org", NOT_A_WAY),
        ("jo@example.org,al@example.org", NOT_A_WAY),
        ("Jo <jo@example.org>", NOT_A_WAY),
        (".jo@example.org", NOT_A_WAY),
        ("j..o@example.org", NOT_A_WAY),
        ("jo@-example.org", NOT_A_WAY),
        ("jö@example.org", NOT_A_WAY),
        (f"{'j' * 65}@example.org", NOT_A_WAY),
        (f"jo@{'example.' * 40}org", NOT_A_WAY),
    ],
)
def test_what_reaches_nobody_is_refused_with_a_sentence(typed: str, says: str) -> None:
    with pytest.raises(WayRefusedError, match="^" + says[:20].replace("+", "\\+")):
        read_way(typed)


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True))
def test_number_as_shown_is_read_as_the_same(number: str) -> None:
    try:
        kept = read_way(number).to
    except WayRefusedError:
        return
    assert kept == number
    assert read_way(shown(kept)).to == number


@pytest.mark.parametrize("local", ["a", "l" * 64])
def test_longest_address_is_one_that_the_notifier_takes(local: str) -> None:
    """It hangs up on what it does not take, and would again: no phone would be told."""
    domain = ".".join(["d" * 60] * 4)
    way = read_way(f"{local}@{domain}"[:249].rstrip(".") + ".org")
    raw = {"type": "notice", "request": "0" * 32, "account": 1, "way": "email", "to": way.to, "priority": 1}

    decode_ordered(json.dumps({**raw, "occasion": "alert", "reference": "r", "valid_s": 1}).encode())


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_way_or_refused(typed: str) -> None:
    try:
        way = read_way(typed)
    except WayRefusedError:
        return
    assert 3 <= len(way.to) <= 254
