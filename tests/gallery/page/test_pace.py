"""One address cannot keep the unit busy."""

from __future__ import annotations

from gallery.page.pace import BURST, PER_S, Pace


def test_after_a_burst_requests_come_at_a_pace() -> None:
    pace = Pace()
    assert not any(pace.is_too_fast("192.168.1.50", 0.0) for _ in range(int(BURST)))

    assert pace.is_too_fast("192.168.1.50", 0.0)
    assert not pace.is_too_fast("192.168.1.50", 1.1 / PER_S)
    assert not pace.is_too_fast("192.168.1.51", 0.0)
