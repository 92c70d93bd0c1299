from __future__ import annotations

from pathlib import Path

import pytest

from central.config import Configuration, load_configuration
from provisioning.fleet import Fleet
from runtime.config import ConfigError


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=1).layout.central / "central.toml"


def with_tables(config: Path, web: str = "", office: str = "") -> Configuration:
    text = config.read_text().split("\n[office]\n", maxsplit=1)[0]
    text = text.replace('host = "127.0.0.1"\nport = 8080\n', web or 'host = "127.0.0.1"\nport = 8080\n')
    config.write_text(f"{text}\n[office]\n{office}")
    return load_configuration(config)


TLS = 'certificate_file = "web.pem"\nkey_file = "web.key"\n'


def test_page_on_the_lan_needs_tls_and_names(config: Path) -> None:
    web = f'host = "0.0.0.0"\nnames = ["central.town.example"]\n{TLS}'
    found = with_tables(config, web)

    assert ("0.0.0.0", frozenset({"central.town.example"})) == (found.web_host, found.web_names)
    assert found.web_tls is not None
    assert config.parent / "web.pem" == found.web_tls.certificate_file


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ('host = "0.0.0.0"\n', "without TLS the page listens on this machine only"),
        ('host = "192.168.1.4"\nnames = ["a"]\n', "without TLS the page listens on this machine only"),
        (f'host = "0.0.0.0"\n{TLS}', "key web.names is missing"),
        ('certificate_file = "web.pem"\n', "key web.key_file is missing"),
        ('key_file = "web.key"\n', "key web.certificate_file is missing"),
        (f'host = "0.0.0.0"\nnames = ["https://central"]\n{TLS}', "web.names"),
        (f'host = "0.0.0.0"\nnames = ["Central"]\n{TLS}', "web.names"),
    ],
)
def test_page_that_others_could_read_is_refused_with_what_to_do(config: Path, web: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        with_tables(config, web)


def test_central_without_an_office_starts(config: Path) -> None:
    assert "" == with_tables(config).office_url


@pytest.mark.parametrize("url", ["https://office.town.example", "http://localhost:8090", "http://127.0.0.1:8090/"])
def test_address_of_the_office_ends_with_a_slash(config: Path, url: str) -> None:
    found = with_tables(config, office=f'url = "{url}"\n')

    assert f"{url.rstrip('/')}/" == found.office_url


@pytest.mark.parametrize(
    "url",
    ["http://office.town.example", "office.town.example", "javascript:alert(1)", "https://a/?next=x", "https://u@a"],
)
def test_address_that_cannot_be_the_offices_is_refused(config: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"office\.url"):
        with_tables(config, office=f'url = "{url}"\n')


def test_office_on_another_machine_is_fetched_into_a_folder_of_its_own(config: Path) -> None:
    near = with_tables(config, office='url = "https://office.town.example"\n')
    far = with_tables(config, office='url = "https://o.example"\nfetch_url = "https://o.example:8091"\n')

    assert (config.parent.parent / "office" / "snapshots").resolve() == near.snapshots_dir.resolve()
    assert config.parent / "fetched" == far.snapshots_dir
