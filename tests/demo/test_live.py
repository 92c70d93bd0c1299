"""The script's own judgement of what was installed, and the folder that stands for central's machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.chronicle import Chronicle, Fact
from demo.fitting import TownError
from demo.guardian_pipe import Guardian
from demo.live.machine import FolderMachine, has_rights
from demo.live.opening import installed
from demo.live.site import Site, code_in
from demo.notice import Notice
from demo.premises import TownPlan
from demo.scripts.stage import Stage
from demo.story import is_told, sentence_of
from demo.town import Town
from installation import places

SAID = ("Everything is in place.", "Nothing to do: everything is in place.")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Installed once; nothing runs."""
    base = tmp_path_factory.mktemp("a folder with spaces")
    guardian = Guardian([], is_kept=True)
    town = Town(base / "town", guardian, Chronicle(0, Notice()), TownPlan((), is_bare=True))
    site = Site(town)
    first, second = asyncio.run(site.install())
    assert first.splitlines()[-1] == SAID[0]
    assert [SAID[1]] == second.splitlines()
    yield site
    guardian.dismiss()


def is_judged_well(site: Site, said: tuple[str, str] = SAID) -> bool:
    """What the script thinks of it."""
    stage = Stage(site.town)

    async def judge() -> None:
        await installed(stage, site)

    with pytest.MonkeyPatch.context() as patch:

        async def install() -> tuple[str, str]:
            return said

        patch.setattr(site, "install", install)
        asyncio.run(judge())
    return stage.is_complete


def test_installed_machine_is_judged_well(site: Site) -> None:
    assert is_judged_well(site)


def readable(root: Path) -> Path:
    key = root / places.CENTRAL.lstrip("/") / "signing.key"
    key.chmod(0o644)
    return key


def open_folder(root: Path) -> Path:
    folder = root / places.BROKER.lstrip("/")
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize("spoil", [readable, open_folder])
def test_what_others_may_read_is_seen(site: Site, spoil: Callable[[Path], Path]) -> None:
    mode = (spoiled := spoil(site.root)).stat().st_mode
    try:
        assert not is_judged_well(site)
    finally:
        spoiled.chmod(mode & 0o700 if spoiled.is_dir() else 0o600)


@pytest.mark.skipif(not has_rights(), reason="only root gives files away")
def test_file_of_another_owner_is_seen(site: Site) -> None:
    acl = site.root / places.BROKER.lstrip("/") / "acl"
    owner = acl.stat().st_uid
    os.chown(acl, 0, 0)
    try:
        assert not is_judged_well(site)
    finally:
        os.chown(acl, owner, owner)


def test_missing_unit_is_seen(site: Site) -> None:
    unit = site.root / "etc/systemd/system/watchlink-central.service"
    aside = unit.rename(unit.with_name("aside"))
    try:
        assert not is_judged_well(site)
    finally:
        aside.rename(unit)


def test_towns_own_secret_on_centrals_machine_is_seen(site: Site) -> None:
    secret = site.root / "var/authority.key"
    secret.write_text("00")
    try:
        assert not is_judged_well(site)
    finally:
        secret.unlink()


def test_second_run_that_changes_something_is_seen(site: Site) -> None:
    assert not is_judged_well(site, (SAID[0], "made /etc/watchlink/broker/acl\nEverything is in place."))


def test_folders_are_made_without_root_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.live.machine.has_rights", lambda: False)
    machine = FolderMachine(tmp_path)
    settings = tmp_path / "etc/tmpfiles.d"
    settings.mkdir(parents=True)
    (settings / "one.conf").write_text("# For one.\nd /var/lib/one 0711 one one\nZ /var/lib/one - one one\n")

    assert machine.run("systemd-tmpfiles", "--create", "one.conf").is_good
    assert 0o711 == (tmp_path / "var/lib/one").stat().st_mode & 0o777


def test_broker_that_cannot_be_told_is_no_success(tmp_path: Path) -> None:
    machine = FolderMachine(tmp_path)

    assert not machine.run("systemctl", "reload", "mosquitto").is_good
    assert machine.run("systemctl", "restart", "mosquitto").is_good, "the script starts it"


def test_output_without_a_label_is_no_code() -> None:
    assert "A-B" == code_in("  Corner Shop\n  Claim code  A-B\n")
    with pytest.raises(TownError, match="no label was printed"):
        code_in("Something else went on.")


def test_node_that_starts_is_told_only_as_far_as_central_sees_it() -> None:
    assert not is_told(Fact(0, "armed", "00000010", "", {"boot": 1}))
    assert is_told(Fact(0, "armed", "00000010", "", {"seen_by": "central"}))


def test_units_and_people_are_revoked_in_different_words() -> None:
    unit, person = Fact(0, "revoked", "00000012", ""), Fact(0, "revoked", "", "", {"who": "Alex Grant"})

    said = [sentence_of(fact, lambda name: name) for fact in (unit, person)]
    assert ["00000012: its unit is revoked: no session, ticket or certificate of it counts"] == said[:1]
    assert "Alex Grant has revoked it" in said[1]
