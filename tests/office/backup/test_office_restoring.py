"""The office's state comes back: nothing that was ended, erased or used comes back with it (C9, D)."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from office.backup import keys
from office.backup.in_use import in_use
from office.backup.restoring import LEAP
from runtime.backup_file import BackupError
from tests.office.backup.conftest import ERASE, PUBLISH, Kept, asked, central_of, trust
from tests.support.killed_command import killed_until_through
from tests.support.office_program import clean_environment, in_office, office
from tests.support.other_disk import other_disk

pytestmark = pytest.mark.integration

OF_OFFICE = ("office.backup.restoring", "office.backup.sqlite", "runtime.backup_workspace", "runtime.atomic")
OF_DJANGO = (
    *("django.core.management.commands.migrate", "django.contrib.auth.hashers", "django.db.backends.sqlite3.base"),
    *("django.forms", "django.core.mail", "django.views.debug"),
)
"""What may be read before the office's settings."""
COME = """
from office.people.models import Individual
Individual.objects.create(scheme_id=1, number=3, name="Came Later")
"""
ERASE_NEWEST = """
from django.db import transaction
from office.accounts.models import Account
from office.people.models import Individual
from office.people.rights import erase_all
with transaction.atomic():
    erase_all(Account.objects.get(username="cora"), Individual.objects.get(number=3))
"""
SIGN_IN = """
from django.test import Client
from office.accounts.models import Account
from tests.office.accounts.codes import code_of
from tests.office.conftest import PASSWORD
browser = Client(SERVER_NAME="localhost")
browser.post("/sign-in/", {"login": "cora", "password": PASSWORD})
browser.post("/sign-in/second-factor/", {"code": code_of(Account.objects.get(username="cora"))})
page = browser.get("/")
print(json.dumps([page.status_code, "was restored from a backup" in page.content.decode()]))
"""
TOLD = """
from office.accounts.models import Notice
print(json.dumps(["{}" in one.text for one in Notice.objects.filter(text__contains="restored from a backup")]))
"""
RENAME = """
from office.people.models import Individual
Individual.objects.filter(number=2).update(name="New")
"""
GO_BACK = """
from django.core.management import call_command
call_command("migrate", "exclusions", "0011", verbosity=0)
"""
STATE = """
from django.contrib.sessions.models import Session
from office.accounts.models import Invitation, OfficeSession
from office.audit.journal import head
from office.people.models import Individual, Photograph
from office.people.sealing import sealing
from office.publisher.models import PublishedNumber
faces = [sealing().read(one.file, bytes(one.wrapped_key), "whole")[:2].hex() for one in Photograph.objects.all()]
print(json.dumps({
    "sessions": Session.objects.count(),
    "links": Invitation.objects.filter(used_at=None, cancelled_at=None).count(),
    "row": head().sequence,
    "names": sorted(Individual.objects.exclude(name="").values_list("name", flat=True)),
    "next": max(Individual.objects.values_list("number", flat=True)) + 1,
    "faces": faces,
    "numbers": dict(PublishedNumber.objects.values_list("name", "number")),
}))
"""


def state(kept: Kept, *codes: str) -> dict[str, object]:
    """After the codes, which one process of the office runs before it tells."""
    found = asked(kept, "".join((*codes, STATE)))
    assert isinstance(found, dict)
    return found


def lose(kept: Kept) -> None:
    """The disk is gone."""
    for name in ("data", "keys", "publisher", "snapshots"):
        shutil.rmtree(kept.file.parent / name)
    for path in kept.file.parent.glob("office.sqlite3*"):
        path.unlink()
    (kept.file.parent / "snapshots").mkdir()


def found_anew(kept: Kept, other: Path) -> None:
    """The engineer has founded a new office in its place."""
    for name in ("keys", "publisher"):
        shutil.copytree(other / name, kept.file.parent / name)
    shutil.copyfile(other / "office.sqlite3", kept.file.parent / "office.sqlite3")


def test_nobody_is_signed_in_and_no_link_is_open_after_a_restore(kept: Kept) -> None:
    """Some had ended, or were used, since the copy."""
    before = state(kept)
    assert 0 < before["sessions"]  # type: ignore[operator]
    assert 0 < before["links"]  # type: ignore[operator]

    said = kept.restore("--set-aside")

    after = state(kept)
    assert (0, 0) == (after["sessions"], after["links"])
    assert "Everybody must sign in to the office again" in said


def test_no_number_runs_backwards(kept: Kept) -> None:
    """What is published is above all that anybody has seen, and no reference on paper is given again."""
    before = state(kept, PUBLISH)
    kept.restore("--set-aside")
    after = state(kept)
    published = state(kept, PUBLISH)

    assert after["row"] > before["row"] + LEAP  # type: ignore[operator]
    assert after["next"] > before["next"] + 900  # type: ignore[operator]
    numbers, then = published["numbers"], before["numbers"]
    assert isinstance(numbers, dict)
    assert isinstance(then, dict)
    assert {"people", "premises", "gallery-1"} <= then.keys()
    assert [] == [name for name, number in then.items() if numbers[name] <= max(number, LEAP)]
    assert 0 == office("audit", "verify", "--config", kept.file).returncode


def test_who_was_erased_since_the_backup_is_erased_again(kept: Kept) -> None:
    """By the signed list that the publisher writes within a second; central keeps one, too."""
    in_office(kept.file, ERASE + PUBLISH)

    said = kept.restore("--set-aside")

    after = state(kept)
    assert ["Nobody 2"] == after["names"]
    assert ["ffd8"] == after["faces"]
    assert 2 == len([*kept.configuration.photographs_folder.iterdir()])
    assert "HART-0001: erased again, with all that was held." in said


def test_lost_machine_is_restored_with_the_lists_that_central_has(
    erased: Kept, other_once: Path, tmp_path: Path
) -> None:
    """Keys by their own key, state by its own, and what was erased since by central's list."""
    kept = erased
    before = state(kept)
    central = central_of(kept, tmp_path / "central")
    central.look()
    assert central.newest is not None
    number = central.newest.number
    lose(kept)
    (of_keys,) = kept.folder.glob("office-keys-*.age")
    # As an installation would: with keys of its own.
    found_anew(kept, other_once)
    other = kept.run("restore-keys", "--from", of_keys, "--identity", kept.keys_key_file)
    restored = kept.run("restore-keys", "--from", of_keys, "--identity", kept.keys_key_file, "--set-aside")

    said = kept.restore("--set-aside", "--lists", tmp_path / "central")

    assert (1, True) == (other[0], "the office has other keys here" in other[1])
    assert 0 == restored[0], restored
    assert "" == keys.trouble(kept.configuration)
    after = state(kept)
    assert ["Nobody 2"] == after["names"]
    assert ["ffd8"] == after["faces"]
    assert after["row"] > before["row"] + LEAP  # type: ignore[operator]
    assert "erased again" in said
    assert "NO photograph" not in said
    # The secret of her app is encrypted under a key that came back with the others.
    assert [200, True] == asked(kept, PUBLISH + SIGN_IN)
    central.look()
    assert (central.newest.number > max(number, LEAP), "") == (True, central.fault)


def test_who_was_erased_is_erased_again_though_the_key_of_the_list_is_lost(
    erased: Kept, other_once: Path, tmp_path: Path
) -> None:
    """The directory still names it: the office's new keys are no reason to let anybody come back."""
    central_of(erased, tmp_path / "central").look()
    lose(erased)
    found_anew(erased, other_once)

    said = erased.restore("--set-aside", "--lists", tmp_path / "central")

    assert "HART-0001: erased again, with all that was held." in said


def test_erased_person_comes_back_by_no_order_of_restores(kept: Kept) -> None:
    """The first backup does not hold the person; the second does, and was made before they were erased."""
    before = kept.made
    in_office(kept.file, COME)
    assert 0 == kept.run("backup")[0]
    (after,) = {*kept.folder.glob("office-[0-9a-f]*.age")} - {before}
    in_office(kept.file, ERASE_NEWEST + PUBLISH)

    kept.restore("--set-aside", backup=before)
    in_office(kept.file, PUBLISH)
    # As on a bare machine: central keeps the newest alone.
    for path in sorted((kept.file.parent / "snapshots").glob("people-*.json"), key=lambda path: path.stat().st_mtime)[
        :-1
    ]:
        path.unlink()
    said = kept.restore("--set-aside", backup=after)

    assert "HART-0003: erased again, with all that was held." in said
    assert ["Nobody 1", "Nobody 2"] == state(kept)["names"]


def test_who_was_erased_after_the_newest_list_is_back_and_everybody_is_told(erased: Kept, tmp_path: Path) -> None:
    """Central's backup holds last night's list: nothing on the new machine knows of today's erasure."""
    kept = erased
    central = central_of(kept, tmp_path / "central")
    central.look()
    assert central.newest is not None
    until = f"{central.newest.made_at:%-d %B %Y, %H:%M} UTC"
    before = state(kept, ERASE_NEWEST.replace("number=3", "number=2"), PUBLISH)["names"]
    lose(kept)
    (of_keys,) = kept.folder.glob("office-keys-*.age")
    assert 0 == kept.run("restore-keys", "--from", of_keys, "--identity", kept.keys_key_file)[0]

    said = kept.restore("--set-aside", "--lists", tmp_path / "central")

    after = state(kept)
    assert (["Since"], ["Nobody 2"]) == (before, after["names"])
    assert "HART-0001: erased again, with all that was held." in said
    assert f"The newest list of people here is of {until}." in said
    assert "let go AFTER THAT IS BACK, and nothing here names them" in said
    assert [True] == asked(kept, TOLD.format(f"erased, hidden or let go after {until} IS BACK"))


def test_without_lists_it_says_what_is_not_known_and_without_keys_what_cannot_be_seen(
    kept: Kept, other_once: Path
) -> None:
    trust(kept)
    lose(kept)
    status, said = kept.run("restore", "--from", kept.made, "--identity", kept.key_file)
    assert (1, True) == (status, "the office's keys are not here" in said)
    found_anew(kept, other_once)
    status, said = kept.run("restore", "--from", kept.made, "--identity", kept.key_file, "--set-aside")
    assert (1, True) == (status, "If all of them are lost, say --lists-lost" in said), said

    said = kept.restore("--set-aside")

    assert "Who was erased from the register, hidden from shops or let go since the copy is not known here" in said
    assert "NO photograph can be seen" in said
    assert ["Nobody 1", "Nobody 2"] == asked(
        kept,
        "from office.people.models import Individual\n"
        "print(json.dumps(sorted(Individual.objects.exclude(name='').values_list('name', flat=True))))",
    )


def test_nothing_is_overwritten_and_what_was_there_is_kept(kept: Kept) -> None:
    status, said = kept.run("restore", "--from", kept.made, "--identity", kept.key_file)
    assert (1, True) == (status, "nothing is overwritten" in said)
    before = {path.name: path.read_bytes() for path in kept.configuration.photographs_folder.iterdir()}
    in_office(kept.file, RENAME)

    kept.restore("--set-aside")

    (aside,) = (kept.file.parent / "data").glob("before-restore-*")
    assert before == {path.name: path.read_bytes() for path in (aside / "photographs").iterdir()}
    with sqlite3.connect(aside / "office.sqlite3") as disk:
        assert [("New",)] == disk.execute("SELECT name FROM people_individual WHERE number = 2").fetchall()
    disk.close()


def test_restore_follows_no_link_that_lies_in_its_way(kept: Kept, tmp_path: Path) -> None:
    """Root restores; the folder is the pages' user's."""
    other = tmp_path / "other" / "file"
    other.parent.mkdir()
    other.write_text("somebody else's")
    data = kept.file.parent / "data"
    (data / ".photographs.new").symlink_to(other.parent)

    status, _ = kept.run("restore", "--from", kept.made, "--identity", kept.key_file, "--set-aside")

    assert (1, "somebody else's") == (status, other.read_text())
    assert (data / "photographs").is_dir()


def test_office_that_runs_is_not_restored(kept: Kept) -> None:
    with in_use(kept.configuration):
        status, said = kept.run("restore", "--from", kept.made, "--identity", kept.key_file, "--set-aside")
    assert (1, True) == (status, "the office is running: stop it first" in said)

    with in_use(kept.configuration, is_alone=True), pytest.raises(BackupError, match="is being restored"):
        in_use(kept.configuration).__enter__()


def test_backup_that_is_cut_off_or_another_towns_or_of_other_database_is_refused(kept: Kept) -> None:
    data, cut = kept.made.read_bytes(), kept.file.parent / "cut.age"
    cut.write_bytes(data[: len(data) - 100])
    elsewhere = kept.altered(lambda _: None, town="ab" * 32)
    text = kept.file.read_text()

    status, said = kept.run("restore", "--from", cut, "--identity", kept.key_file, "--set-aside")
    assert (1, True) == (status, "is damaged or was cut short" in said)
    status, said = kept.run("restore", "--from", elsewhere, "--identity", kept.key_file, "--set-aside")
    assert (1, True) == (status, "is a backup of another town" in said)
    kept.file.write_text(f'database = "postgresql://nobody@localhost/office"\n{text}')
    status, said = kept.run("restore", "--from", kept.made, "--identity", kept.key_file, "--prove")
    assert (1, True) == (status, "the backup is of SQLite’s database" in said), said


def test_backup_of_a_newer_version_is_refused_and_of_an_older_one_brought_up_to_date(kept: Kept) -> None:
    def be_newer(work: Path) -> None:
        with sqlite3.connect(work / "office.sqlite3") as disk:
            disk.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('people', '9999_x', '2027-01-01')")
        disk.close()

    newer = kept.altered(be_newer)
    status, said = kept.run("restore", "--from", newer, "--identity", kept.key_file, "--set-aside")
    assert (1, True) == (status, "made by a newer version of Watchlink (it has people 9999_x)" in said)
    kept.made.unlink()
    in_office(kept.file, GO_BACK)
    assert 0 == kept.run("backup")[0]

    kept.restore("--set-aside")

    assert 0 == office("audit", "verify", "--config", kept.file).returncode
    assert "up to date" in office("migrate", "--config", kept.file).stdout


def test_database_and_photographs_may_lie_on_different_disks(kept: Kept) -> None:
    in_office(kept.file, RENAME)
    with other_disk(kept.file.parent) as other:
        (kept.file.parent / "office.sqlite3").rename(kept.file.parent / "moving")
        shutil.move(kept.file.parent / "moving", other / "office.sqlite3")
        kept.file.write_text(f'database = "{other / "office.sqlite3"}"\n{kept.file.read_text()}')

        kept.restore("--set-aside")

        after = state(kept)
        (aside,) = kept.file.parent.glob("data/before-restore-*/office.sqlite3")
    assert (["Nobody 1", "Nobody 2"], ["ffd8", "ffd8"]) == (after["names"], after["faces"])
    assert "New" == name_of_second(aside)


def test_photographs_folder_that_is_a_disk_itself_is_refused_before_anything_is_touched(kept: Kept) -> None:
    in_office(kept.file, RENAME)
    folder = kept.configuration.photographs_folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    words = ("--config", kept.file, "--from", kept.made, "--identity", kept.key_file, "--set-aside", "--lists-lost")
    office_restore = shlex.join([sys.executable, "-m", "watchlink.cli", "office", "restore", *map(str, words)])
    mount = f"mount --bind {shlex.quote(str(folder))} {shlex.quote(str(folder))}"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a mount namespace is for root")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{mount} && {office_restore}"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, True) == (done.returncode, "cannot be set aside" in done.stderr), done.stderr
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "New" == name_of_second(kept.file.parent / "office.sqlite3")
    assert [] == [*kept.file.parent.glob("data/before-restore-*")]


def test_restore_killed_at_each_step_is_done_by_another(kept: Kept) -> None:
    """What was there is not lost, and no program starts on half of it."""
    in_office(kept.file, RENAME)
    words = ("--config", kept.file, "--from", kept.made, "--identity", kept.key_file, "--set-aside", "--lists-lost")

    steps = killed_until_through(OF_OFFICE, "office", "restore", *words, read=OF_DJANGO)

    # The folder, four files, the folder again, the head, the database.
    assert steps >= 8
    after = state(kept)
    assert (["Nobody 1", "Nobody 2"], ["ffd8", "ffd8"]) == (after["names"], after["faces"])
    aside = (kept.file.parent / "data").glob("before-restore-*/office.sqlite3")
    assert ["New"] == [name for name in map(name_of_second, aside) if name == "New"]


def test_restore_of_keys_killed_at_each_step_is_done_by_another(kept: Kept) -> None:
    """None of the new office's keys is lost, and all of the old ones are back."""
    was = {name: file.read_bytes() for name, file in keys.files_of(kept.configuration).items()}
    for number, file in enumerate(keys.files_of(kept.configuration).values()):
        file.write_text(f"{number:064x}\n")
    (of_keys,) = kept.folder.glob("office-keys-*.age")
    words = ("--config", kept.file, "--from", of_keys, "--identity", kept.keys_key_file, "--set-aside")

    steps = killed_until_through(("office.backup.keys", "runtime.atomic"), "office", "restore-keys", *words)

    assert steps >= 4
    assert was == {name: file.read_bytes() for name, file in keys.files_of(kept.configuration).items()}
    for number, file in enumerate(keys.files_of(kept.configuration).values()):
        (aside,) = file.parent.glob(f"{file.name}.before-*")
        assert f"{number:064x}\n" == aside.read_text()


def name_of_second(database: Path) -> str:
    with closing(sqlite3.connect(database)) as disk:
        (name,) = disk.execute("SELECT name FROM people_individual WHERE number = 2").fetchone()
    return str(name)
