"""node.toml: every mistake in one sentence; what only costs the network does not keep a node from arming (F5)."""

from __future__ import annotations

import os
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node.config import NodeFile, load_config
from provisioning.certificates import CertificateAuthority, issue_client_certificate
from provisioning.fleet import Fleet, NewNode
from runtime.config import ConfigError
from wire.ids import NodeId
from wire.subjects import NODES

NODE = "00000010"
DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART", "pubwatch": "Pub Watch"})
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart", "pubwatch"], profile="fake")])
    return fleet


@pytest.fixture
def file(fleet: Fleet) -> Path:
    return fleet.node_folder(NODE) / "node.toml"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_config_becomes_settings_keys_and_resolved_paths(file: Path) -> None:
    change(file, "[hardware]", "[alerts]\nsilent_attack = true\nchord = false\nhold_ms = 1500\n[hardware]")
    config = load_config(file, "1.2")
    settings = config.settings

    assert (NodeId(0x10), "Corner Shop", "High St", (1, 2), "1.2") == (
        settings.node,
        settings.premises,
        settings.place,
        settings.scheme_numbers,
        settings.version,
    )
    assert (True, False, 1_500) == (settings.is_attack_silent, settings.is_chord_enabled, settings.timing.hold_ms)
    assert file.parent / "state" == config.state_dir
    assert file.parent / "board.sock" == config.fake_socket
    assert str(file.parent / "client.pem") == config.link.certificate_file
    assert config.directory.senders[settings.node].key == config.signing_key.public
    assert ("", ()) == (config.link_problem, config.warnings)


def test_config_reads_a_radio_and_gives_each_start_a_seed_of_its_own(file: Path) -> None:
    assert load_config(file, "").settings.radio is None
    change(
        file,
        "[hardware]",
        '[radio]\ndriver = "fake"\nlicence = "1234567/1"\n[radio.fake]\nair_socket = "../air"\n'
        '[radio.speech]\nneutral_phrase = "Tango"\n[radio.times]\npath_test_first_ms = 2000\n[hardware]',
    )
    configs = [load_config(file, "") for _ in range(2)]
    radio = configs[0].settings.radio

    assert radio is not None
    assert ("1234567/1", True, 2_000) == (radio.licence, radio.has_neutral_phrase, radio.timing.path_test_first_ms)
    assert file.parent / "../air" == configs[0].radio.air_socket
    assert 2 == len({config.settings.radio.seed for config in configs if config.settings.radio})


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('node = "00000010"', 'node = "16"', "key identity.node: Expected `str` matching regex '^[0-9a-f]{8}$'"),
        ('node = "00000010"', 'node = "00000001"', "key identity.node: 00000001 is not a node's id"),
        ("schemes = [1, 2]", "schemes = []", "key identity.schemes: Expected `array` of length >= 1"),
        ("schemes = [1, 2]", "schemes = [2, 2]", "key identity.schemes: a scheme is listed twice"),
        ("signing_key_file", "signing_key", "unknown key identity.signing_key; did you mean 'signing_key_file'?"),
        ('"signing.key"', '"nowhere"', "key identity.signing_key_file: "),
        ('"signing.key"', '"node.toml"', "does not hold 64 hexadecimal digits"),
        ('"authority.pub"', '"signing.key"', "is not a directory signed by the authority (directory signature)"),
        ('directory_file = "directory.json"', 'directory_file = "node.toml"', "is not a directory signed"),
        ('ca_file = "ca.pem"', 'ca_file = "nowhere"', "key mqtt.ca_file: "),
        ('certificate_file = "client.pem"', 'certificate_file = "nowhere"', "key mqtt.certificate_file: "),
        ('key_file = "client.key"', 'key_file = "nowhere"', "key mqtt.key_file: "),
        ("[hardware]", "[alerts]\nhold_ms = 10\n[hardware]", "key alerts.hold_ms: Expected `int` >= 200"),
        ("[hardware]", '[clock]\nproof = "guess"\n[hardware]', "key clock.proof: Invalid enum value 'guess'"),
        ("[hardware]", "[extra]\n[hardware]", "unknown key extra"),
        ("[hardware]", '[radio]\ndriver = "ham"\n[hardware]', "key radio.driver: Invalid enum value 'ham'"),
        ("[hardware]", "[radio.ptt]\npin = 3\n[hardware]", "unknown key radio.ptt.pin (allowed here: cm108_pin, gpio,"),
        ("[hardware]", "[radio.ptt]\ngpio = 28\n[hardware]", "key radio.ptt.gpio: Expected `int` <= 27"),
        ("[hardware]", '[radio]\ndriver = "fake"\n[hardware]', "key radio.fake.air_socket: driver"),
        ("[hardware]", '[radio]\ndriver = "sound"\nlicence = " x"\n[hardware]', "key radio.licence: ' x' begins"),
        (
            "[hardware]",
            '[radio.speech]\nvoice = "$(id)"\n[hardware]',
            "key radio.speech.voice: Expected `str` matching",
        ),
    ],
)
def test_config_mistake_names_file_and_key(file: Path, old: str, new: str, sentence: str) -> None:
    change(file, old, new)

    with pytest.raises(ConfigError) as caught:
        load_config(file, "")
    assert str(caught.value).startswith(f"{file}: ")
    assert sentence in str(caught.value)


def test_config_with_a_gallery_says_where_it_is_heard_and_by_whom(file: Path) -> None:
    change(file, "[hardware]", '[gallery]\nsocket = "gallery.sock"\n[hardware]')
    config = load_config(file, "1.0")

    assert config.gallery is not None
    assert (file.parent / "gallery.sock", os.geteuid()) == (config.gallery.socket, config.gallery.user)
    assert config.settings.has_gallery


def test_config_with_a_gallery_of_a_user_that_is_not_there_arms_without_it(file: Path) -> None:
    change(file, "[hardware]", '[gallery]\nsocket = "gallery.sock"\nuser = "nobody-at-all"\n[hardware]')
    config = load_config(file, "1.0")

    assert (None, False) == (config.gallery, config.settings.has_gallery)
    assert any("no user nobody-at-all" in warning for warning in config.warnings)


def test_config_never_prints_a_key(file: Path) -> None:
    secret = "not quite a key: 0123456789abcdef"
    (file.parent / "signing.key").write_text(secret)

    with pytest.raises(ConfigError) as caught:
        load_config(file, "")
    assert secret not in str(caught.value)


def test_config_with_an_expired_certificate_arms_and_says_so(file: Path) -> None:
    now = datetime.now(UTC)
    config = load_config(file, "", now + timedelta(days=91))

    assert re.search(r"client\.pem: expired on \d\d \w{3} \d{4}, by the clock here", config.link_problem)
    assert load_config(file, "", now - timedelta(days=4_000)).link_problem == ""


def test_config_warns_of_a_certificate_that_expires_soon(file: Path) -> None:
    config = load_config(file, "", datetime.now(UTC) + timedelta(days=80))

    assert config.link_problem == ""
    assert "days" in config.warnings[0]


@pytest.mark.parametrize(("name", "words"), [(NODE, "another CA"), ("00000011", "the certificate of 00000011")])
def test_config_with_a_foreign_certificate_arms_and_says_so(fleet: Fleet, file: Path, name: str, words: str) -> None:
    now = datetime.now(UTC)
    authority = CertificateAuthority.create("elsewhere", now) if name == NODE else fleet.issuer(NODES)
    (file.parent / "client.pem").write_bytes(issue_client_certificate(authority, name, now=now).certificate_pem)

    assert words in load_config(file, "").link_problem


def test_config_warns_of_what_the_directory_does_not_say(fleet: Fleet, file: Path) -> None:
    change(file, "schemes = [1, 2]", "schemes = [1, 3]")
    assert load_config(file, "").warnings == (
        f"the directory {load_config(file, '').directory.serial} does not have this node in scheme 3",
    )
    (file.parent / "signing.key").write_text("ab" * 32)
    assert "has another signing key for this node" in load_config(file, "").warnings[0]


def test_config_warns_of_keys_that_others_can_read(file: Path) -> None:
    (file.parent / "signing.key").chmod(0o644)

    assert "chmod 600" in load_config(file, "").warnings[0]


def settings_of(kind: type[msgspec.Struct], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found |= settings_of(field.type, f"{prefix}{field.encode_name}.")
        else:
            found.add(f"{prefix}{field.encode_name}")
    return found


def keys_of(table: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in table.items():
        found |= keys_of(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}"}
    return found


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    block = DOCUMENT.read_text(encoding="utf-8").partition("## node.toml\n```toml\n")[2].partition("```")[0]
    documented = keys_of(tomllib.loads(block))

    assert settings_of(NodeFile) == documented
