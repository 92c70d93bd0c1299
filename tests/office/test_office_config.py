"""``office.toml``: what is allowed, what is said, and that the document shows every key with its default."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from office.config import Configuration, OfficeFile, load_configuration
from runtime.config import ConfigError
from wire.signing import SigningKey

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"
NEEDED = 'authority_file = "authority.pub"\ndirectory_file = "../directory.json"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "authority.pub").write_text(SigningKey(bytes(range(32))).public.raw.hex())
    return tmp_path


def _load(folder: Path, text: str = "") -> Configuration:
    (folder / "office.toml").write_text(NEEDED + text)
    return load_configuration(folder / "office.toml")


def test_the_document_shows_every_key_with_its_default() -> None:
    block = re.search(r"## office\.toml.*?```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None

    shown = tomllib.loads(block[1])
    defaults = msgspec.to_builtins(msgspec.convert(tomllib.loads(NEEDED), OfficeFile))

    assert msgspec.to_builtins(msgspec.convert(shown, OfficeFile)) == defaults
    assert shown.keys() == defaults.keys()
    assert all(shown[table].keys() == keys.keys() for table, keys in defaults.items() if isinstance(keys, dict))


def test_paths_are_relative_to_the_file(folder: Path) -> None:
    configuration = _load(folder)

    assert configuration.ticket_public_file == folder / "keys/ticket.pub"
    assert configuration.database == str(folder / "office.sqlite3")
    assert configuration.url == "http://localhost:8090"
    assert configuration.town.text == SigningKey(bytes(range(32))).public.raw.hex()


def test_usual_ports_are_left_out_of_links(folder: Path) -> None:
    tls = '[web]\nport = 443\nnames = ["office.example.org", "o"]\ncertificate_file = "c.pem"\nkey_file = "c.key"\n'

    assert _load(folder, tls).url == "https://office.example.org"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[web]\nhost = "0.0.0.0"\n', "key web.host"),
        ('[public]\nhost = "0.0.0.0"\n', "key public.host"),
        ('[web]\ncertificate_file = "c.pem"\n', "give both or neither"),
        ('[web]\nnames = ["localhost:8090"]\n', "key web.names"),
        ('[web]\nnames = ["*"]\n', "key web.names"),
        ("[web]\nnames = []\n", "web.names"),
        ("[web]\nport = 70000\n", "web.port"),
        ('[central]\nurl = "watch.example.org"\n', "key central.url"),
        ('[central]\nurl = "https://watch.example.org/page"\n', "key central.url"),
        ('[central]\nurl = "javascript:alert(1)"\n', "key central.url"),
        ("[keys]\npage_key_file = 'x'\n", "did you mean 'pages_key_file'"),
    ],
)
def test_what_is_not_allowed_is_said_with_its_key(folder: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        _load(folder, text)


def test_another_kind_of_database_is_refused(folder: Path) -> None:
    (folder / "office.toml").write_text(NEEDED + 'database = "mysql://localhost/office"\n')

    with pytest.raises(ConfigError, match="key database"):
        load_configuration(folder / "office.toml")


def test_an_authority_that_is_no_key_is_refused(folder: Path) -> None:
    (folder / "authority.pub").write_text("ff" * 31)

    with pytest.raises(ConfigError, match="authority_file"):
        _load(folder)


def test_configuration_is_read_without_the_web_server() -> None:
    """Every command reads it, and only one serves pages."""
    code = "import sys, office.config; print({'uvicorn', 'asyncio', 'django'} & set(sys.modules))"

    assert "set()\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
