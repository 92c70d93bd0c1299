from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import msgspec
import pytest

from notifier.config import SOCKET, CentralTable, GatewayTable, NotifierFile, PushTable, load_configuration
from runtime.config import ConfigError

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "configuration.md"
PUSH: Final = '[push]\ncontact = "mailto:engineer@town.example"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "notifier.toml"
    file.write_text(text)
    return file


def test_push_key_is_made_once_and_kept(tmp_path: Path) -> None:
    file = written(tmp_path, PUSH)

    first = load_configuration(file)

    assert first.key.public == load_configuration(file).key.public
    assert (Path(SOCKET), None, {}) == (first.socket, first.user, first.gateways)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "push"),
        ('[push]\ncontact = "me"\n', "push.contact"),
        (PUSH + 'allowed_networks = ["here"]\n', "push.allowed_networks"),
        (PUSH + 'ca_file = "missing.pem"\n', "push.ca_file"),
        (PUSH + '[sms]\ngateway_file = "missing"\n', "sms.gateway_file"),
        (PUSH + '[email]\ngateway_file = "notifier.toml"\n', "email.gateway_file"),
        (PUSH + '[central]\nuser = "nobody-of-that-name"\n', "central.user"),
        (PUSH + '[central]\npage = "central.example"\n', "central.page"),
        (PUSH + "[push.more]\n", "more"),
    ],
)
def test_mistake_names_the_key(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(word)):
        load_configuration(written(tmp_path, text))


def test_push_key_that_is_none_is_not_replaced(tmp_path: Path) -> None:
    """Every phone would have to be set up anew: a person decides that."""
    (tmp_path / "push.pem").write_text("lost")

    with pytest.raises(ConfigError, match="set up anew"):
        load_configuration(written(tmp_path, PUSH))
    assert "lost" == (tmp_path / "push.pem").read_text()


def test_document_shows_every_key_with_its_default() -> None:
    (text,) = re.findall(r"## notifier\.toml\n.*?```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    shown = tomllib.loads(text)

    for name, table in (("central", CentralTable), ("push", PushTable), ("sms", GatewayTable), ("email", GatewayTable)):
        assert {*table.__struct_fields__} == {*shown[name]}
    file = msgspec.convert(shown, NotifierFile, strict=True)
    defaults = PushTable(contact=file.push.contact)
    assert defaults == file.push
    assert CentralTable().socket == file.central.socket
