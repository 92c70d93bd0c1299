"""A mistake in a configuration names file and key, and says what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.config import ConfigError, load_toml
from runtime.mqtt_link import LinkSettings

GOOD = 'host = "h"\nca_file = "a"\ncertificate_file = "b"\nkey_file = "c"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD + "porte = 1\n", "unknown key porte; did you mean 'port'?"),
        (GOOD + "port = 0\n", "key port: Expected `int` >= 1"),
        (GOOD + 'port = "1"\n', "key port: Expected `int`, got `str`"),
        (GOOD.replace("host", "#"), "missing required field `host`"),
        ("host = \n", "not TOML"),
        ("\xff", "not TOML"),
    ],
)
def test_load_toml_says_what_is_wrong_where(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(text.encode("latin-1"))

    with pytest.raises(ConfigError) as caught:
        load_toml(file, LinkSettings)
    assert str(caught.value).startswith(f"{file}: ")
    assert sentence in str(caught.value)


def test_load_toml_says_that_the_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_toml(tmp_path / "x.toml", LinkSettings)
