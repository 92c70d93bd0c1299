"""What ``enrol.toml`` may say."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.responses import FileResponse

from appliance.net.releases import WITHIN_S
from enrolment.config import Configuration, load_configuration
from enrolment.handlers.releasing import AT_ONCE
from runtime.config import ConfigError


def loaded(folder: Path, kilobytes_per_s: int) -> Configuration:
    file = folder / "enrol.toml"
    file.write_text(f'[broker]\nhost = "broker.town"\n[web]\nbundle_kilobytes_per_s = {kilobytes_per_s}\n')
    return load_configuration(file)


def test_slowest_bundles_bring_each_unit_a_piece_before_it_gives_up(tmp_path: Path) -> None:
    slowest = loaded(tmp_path, 50).file.web.bundle_kilobytes_per_s

    assert AT_ONCE * FileResponse.chunk_size / (slowest * 1000) < WITHIN_S / 2


def test_slower_bundles_are_refused_by_key_and_bound(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"enrol.toml: key web.bundle_kilobytes_per_s: Expected `int` >= 50$"):
        loaded(tmp_path, 49)
