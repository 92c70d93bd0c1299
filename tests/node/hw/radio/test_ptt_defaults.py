"""Node and unkey agree on the line that is meant where the file does not say (N10)."""

from __future__ import annotations

from typing import get_args, get_type_hints

from node.hw.radio.ptt import METHODS, PttSettings
from node.hw.radio.unkey import read_settings
from node.radio_config import PttTable


def test_what_is_not_given_is_what_the_node_takes() -> None:
    """Else the node keys one pin, and this puts off another."""
    node = PttTable()

    assert PttSettings(node.method, node.gpio, node.serial, node.hidraw, node.cm108_pin) == PttSettings()
    assert PttSettings() == read_settings('[radio]\ndriver = "sound"\n')


def test_methods_that_the_file_allows_are_those_there_are() -> None:
    assert METHODS == get_args(get_type_hints(PttTable)["method"])
