"""``watchlink office init``, on a real file: keys, database, schemes, and one link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.office_program import in_office, office, write_config
from wire.signing import SigningKey

pytestmark = pytest.mark.integration


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Of a town with two schemes."""
    return write_config(tmp_path)


def test_init_makes_keys_database_and_one_link(config_file: Path) -> None:
    done = office("init", "--config", config_file)

    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"http://localhost:8123/join/[\w-]{32}/", done.stdout)) == 1
    folder = config_file.parent
    for key in ("keys/pages.key", "keys/ticket.key", "keys/photographs.key", "publisher/snapshot.key"):
        assert (folder / key).stat().st_mode & 0o777 == 0o600
    assert (folder / "keys/ticket.pub").read_text() != (folder / "publisher/snapshot.pub").read_text()
    assert "trust-office" in done.stdout
    shown = in_office(
        config_file,
        "from office.accounts.models import *\n"
        "print(list(Scheme.objects.values_list('slug', flat=True)), Account.objects.count())\n"
        "from django.db import connection\n"
        "for pragma in ('journal_mode', 'synchronous', 'secure_delete', 'temp_store'):\n"
        "    print(connection.cursor().execute(f'PRAGMA {pragma}').fetchone()[0])\n",
    )
    assert shown.split("\n")[:5] == ["['hart', 'pubwatch'] 0", "wal", "2", "1", "2"]


def test_init_again_gives_a_new_link_and_keeps_the_keys(office_file: Path) -> None:
    first = office("init", "--config", office_file)
    key = (office_file.parent / "publisher/snapshot.key").read_text()
    second = office("init", "--config", office_file)

    assert second.returncode == 0
    assert (office_file.parent / "publisher/snapshot.key").read_text() == key
    tokens = [re.findall(r"/join/([\w-]+)/", done.stdout)[0] for done in (first, second)]
    standing = in_office(
        office_file,
        "from office.accounts import redeeming\n"
        f"for token in {tokens!r}:\n"
        "    try: print(redeeming.open_invitation(token).role)\n"
        "    except redeeming.LinkVoidError: print('void')\n",
    )
    assert standing.split() == ["void", "co-ordinator"]


def test_init_refuses_once_there_is_a_co_ordinator(office_file: Path) -> None:
    first = office("init", "--config", office_file)
    token = re.findall(r"/join/([\w-]+)/", first.stdout)[0]
    join = f"redeeming.join({token!r}, username='cora', password='correct horse')"
    in_office(office_file, f"from office.accounts import redeeming\n{join}\n")

    again = office("init", "--config", office_file)
    recovered = office("recover", "--config", office_file, "Cora")

    assert again.returncode == 1
    assert "there is a co-ordinator already" in again.stderr
    assert "/join/" not in again.stdout
    assert recovered.returncode == 0
    assert "/recover/" in recovered.stdout


@pytest.mark.parametrize(("name", "why"), [("Watchlink", "goes by this name"), ("Ann\u200bLee", "cannot be shown")])
def test_init_refuses_a_name_that_nobody_can_have(config_file: Path, name: str, why: str) -> None:
    done = office("init", "--config", config_file, "--name", name)

    assert done.returncode == 1
    assert why in done.stderr
    assert not (config_file.parent / "keys").exists()


def test_init_refuses_a_directory_of_another_authority(office_file: Path) -> None:
    (office_file.parent / "authority.pub").write_text(SigningKey(bytes(32)).public.raw.hex())

    done = office("init", "--config", office_file)

    assert done.returncode == 1
    assert "signature" in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_without_init_says_what_to_do(config_file: Path) -> None:
    done = office("serve", "--config", config_file)

    assert done.returncode == 2
    assert "watchlink office init --config" in done.stderr


def test_serve_with_an_old_database_says_what_to_do(office_file: Path) -> None:
    in_office(office_file, "from django.core.management import call_command\ncall_command('migrate', 'rota', 'zero')\n")

    done = office("serve", "--config", office_file)

    assert done.returncode == 1
    assert "watchlink office migrate --config" in done.stderr
    assert office("migrate", "--config", office_file).returncode == 0


def test_migrate_makes_the_photographs_key_of_an_older_office_once(office_file: Path) -> None:
    key = office_file.parent / "keys/photographs.key"
    key.unlink()
    missing = office("serve", "--config", office_file)
    made = office("migrate", "--config", office_file)
    first = key.read_text()
    office("migrate", "--config", office_file)

    assert missing.returncode == 2
    assert "photographs.key is missing" in missing.stderr
    assert made.returncode == 0
    assert key.read_text() == first
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_lost_photographs_key_is_not_made_again_while_there_are_photographs(office_file: Path) -> None:
    key, folder = office_file.parent / "keys/photographs.key", office_file.parent / "data/photographs"
    key.unlink()
    folder.mkdir(parents=True)
    (folder / "0.whole").write_bytes(b"sealed")

    for command in ("migrate", "init"):
        done = office(command, "--config", office_file)
        assert done.returncode == 1
        assert "Put it back from its copy" in done.stderr
    assert not key.exists()
