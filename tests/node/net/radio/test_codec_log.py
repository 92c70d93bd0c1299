"""What the codec says of children that do not work."""

from __future__ import annotations

import logging

import pytest

from node.core.air import LADDER
from node.net.radio.codec import Codec
from wire.ids import NodeId

MINUTE_MS = 60_000


def test_modem_that_is_not_installed_is_tried_for_ever_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A log of nothing else hides what matters, and wears out the card."""
    monkeypatch.setenv("PATH", "/nowhere")
    codec = Codec(NodeId(1), lambda _: None, lambda _: None)
    now_ms = 0
    monkeypatch.setattr("node.net.radio.codec.monotonic_ms", lambda: now_ms)
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            codec.step(now_ms, is_quiet=True)
            now_ms += MINUTE_MS

    assert codec.problem is not None
    assert "not installed" in codec.problem
    assert len(LADDER) == len(caplog.records)
