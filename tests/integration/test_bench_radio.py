"""The radio's benchmark runs, with real modems, and tells a good channel from a hopeless one."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


def test_bench_radio_delivers_all_in_little_noise_and_plain_ax25_nothing_in_much(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # SciPy takes a second to load, and each process that reads tests would.
    from bench import radio  # noqa: PLC0415

    radio.run(frames=2, levels_db=(20.0, 5.0), seed=1)
    rows = {line[:22].strip(): line[22:].split() for line in capsys.readouterr().out.splitlines()}

    assert ["100", "0"] == rows["1200 AX.25 (peer)"]
    assert ["100", "100"] == rows["whole ladder"]
