"""What restores have set aside ends as backups do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from office.app import _Housekeeping
from office.audit.journal import record
from office.backup.aside import forget_set_aside
from office.backup.postgresql import PostgresqlState
from office.config import load_configuration
from office.public_page import PublicPage
from tests.office.conftest import MakePerson
from tests.support.office_program import write_config

NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)


def test_what_was_set_aside_is_gone_after_as_many_days_as_a_backup_is_kept(tmp_path: Path) -> None:
    """Somebody who was erased after the restore lives on in it, with their face."""
    configuration = load_configuration(write_config(tmp_path))
    data = configuration.photographs_folder.parent
    old, new, other = (
        data / name for name in ("before-restore-20261101T115959Z", "before-restore-20261102T120000Z", "photographs")
    )
    for folder in (old, new, other):
        (folder / "photographs").mkdir(parents=True)
        (folder / "photographs" / "face").touch()

    assert [str(old)] == forget_set_aside(configuration, NOW)
    assert {new, other} == {*data.iterdir()}


def test_link_among_what_was_set_aside_is_not_followed(tmp_path: Path) -> None:
    configuration = load_configuration(write_config(tmp_path))
    data = configuration.photographs_folder.parent
    data.mkdir()
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (data / "before-restore-20261101T115959Z").symlink_to(theirs)

    forget_set_aside(configuration, NOW)

    assert theirs.is_dir()


def test_databases_that_were_set_aside_are_this_offices_alone() -> None:
    long = "a" * 63
    states = {name: PostgresqlState(f"postgresql://office@localhost/{name}", Path()) for name in ("office", "x", long)}
    names = [f"{name}_before-restore-20261101T115959Z" for name in ("office", "x", long[:31])]

    found = {
        name: [one for one in names if state._is_outdated(one, NOW, timedelta(days=30))]
        for name, state in states.items()
    }
    assert {"office": names[:1], "x": names[1:2], long: names[2:]} == found


@pytest.mark.django_db
@pytest.mark.parametrize("is_clock_ahead", [False, True])
def test_pages_see_to_it_daily_unless_their_clock_is_wrong(
    tmp_path: Path, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch, *, is_clock_ahead: bool
) -> None:
    """As with the register: what somebody did last says whether this clock may end anything."""
    record(make_person("cora"), "account.made")
    configuration = load_configuration(write_config(tmp_path))
    old = configuration.photographs_folder.parent / "before-restore-20200101T000000Z"
    old.mkdir(parents=True)
    if is_clock_ahead:
        later = timezone.now() + timedelta(days=5_000)
        monkeypatch.setattr(timezone, "now", lambda: later)

    _Housekeeping(configuration, PublicPage()).look()

    assert is_clock_ahead == old.exists()
