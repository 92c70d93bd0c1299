"""The status line: read by people in ``systemctl status``, and read back by the check (F3)."""

from __future__ import annotations

import pytest

from node.core.controls import Part
from node.health_line import faults_of, health_line
from runtime.service import STATUS_CHARS_MAX


@pytest.mark.parametrize("faults", [(), (Part.OLED,), tuple(Part)])
@pytest.mark.parametrize("link", ["connected", "not connected: " + "x" * 200, "not connected: armed, faults: led"])
def test_line_is_read_back_even_cut(faults: tuple[Part, ...], link: str) -> None:
    line = health_line(faults, link)[:STATUS_CHARS_MAX]

    assert frozenset(faults) == faults_of(line)


def test_line_is_plain() -> None:
    assert "armed, no faults; connected" == health_line((), "connected")
    assert "armed, faults: led oled; connected" == health_line({Part.OLED, Part.LED}, "connected")


@pytest.mark.parametrize("line", ["", "armed", "armed, connected", "armed, not connected: armed, faults: led"])
def test_line_of_an_older_node_says_nothing_of_parts(line: str) -> None:
    assert faults_of(line) is None
