"""The office's tests: on SQLite in memory, or on the PostgreSQL that ``WATCHLINK_OFFICE_TEST_DATABASE`` names."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.utils import encrypt
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from pytest_django import Settings

from demo.lent_database import FILE_VARIABLE
from office.accounts.models import Account, RoleGrant, Scheme
from office.people import intake_process
from tests.support.fleet_broker import DEADLINE_S
from tests.support.office_program import found, write_config
from wire.snapshots import RoleSlug

HART, PUB_WATCH = 1, 2
"""Numbers of the two schemes of a test's town."""
PASSWORD = "correct horse battery staple"
MakePerson = Callable[..., Account]
SignedIn = Callable[..., Client]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """Lends the database in memory the tables that an office of this run has made: making them takes two seconds.

    The migrations are run as ever, and do what is left. It is there as long as anybody has it open.
    """
    made = Path(os.environ.get(FILE_VARIABLE, ""))
    if connection.vendor != "sqlite" or not made.is_file():
        yield
        return
    name = connection.creation._get_test_db_name()  # type: ignore[attr-defined]  # SQLite's has it
    with closing(sqlite3.connect(name, uri=True)) as memory:
        with closing(sqlite3.connect(f"{made.absolute().as_uri()}?immutable=1", uri=True)) as kept:
            kept.backup(memory)
        yield


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Settings) -> None:
    """Argon2 takes a quarter of a second on purpose; tests hash hundreds."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _all_the_time_for_photographs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that reads or marks one is a process: a busy machine starts it late. Its own limits stay."""
    for name in ("DEADLINE_S", "MARK_DEADLINE_S", "WAITS_S"):
        monkeypatch.setattr(intake_process, name, DEADLINE_S)


@pytest.fixture(autouse=True)
def _photographs(settings: Settings, photographs_folder: Path) -> None:
    """Sealed in a folder of this run."""
    settings.PHOTOGRAPHS_FOLDER = photographs_folder / "photographs"
    settings.PHOTOGRAPHS_KEY_FILE = photographs_folder / "photographs.key"


@pytest.fixture(scope="session")
def photographs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the key in ``photographs.key``."""
    folder = tmp_path_factory.mktemp("sealed")
    (folder / "photographs.key").write_text("ab" * 32)
    return folder


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an office as ``init`` leaves it, on SQLite. It takes two seconds, so one process of a run makes it."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / "founded"
    with (shared / "founded.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not folder.exists():
            file = write_config(tmp_path_factory.mktemp("founded"))
            found(file)
            file.parent.rename(folder)
    return folder


@pytest.fixture
def office_file(founded: Path, tmp_path: Path) -> Path:
    """``office.toml`` of a test's own office, that has been set up."""
    return shutil.copytree(founded, tmp_path, dirs_exist_ok=True) / "office.toml"


@pytest.fixture
def schemes(db: None) -> dict[int, Scheme]:
    """HART and Pub Watch by number."""
    rows = [
        Scheme(number=HART, slug="hart", name="HART"),
        Scheme(number=PUB_WATCH, slug="pubwatch", name="Pub Watch"),
    ]
    return {row.number: row for row in Scheme.objects.bulk_create(rows)}


def person_of(username: str, *grants: tuple[RoleSlug, int], name: str = "", has_second_factor: bool = True) -> Account:
    """Somebody with :data:`PASSWORD`, an authenticator app and roles in schemes that are there."""
    account = Account(username=username, name=name or username.title())
    account.set_password(PASSWORD)
    account.save()
    RoleGrant.objects.bulk_create(RoleGrant(account=account, role=role, scheme_id=number) for role, number in grants)
    if has_second_factor:
        TOTP.activate(account, generate_totp_secret())
    return account


def people_of(roles: Mapping[str, tuple[RoleSlug, int]]) -> list[Account]:
    """Several at once, each with one role, as :func:`person_of` makes them; by username."""
    password = make_password(PASSWORD)
    accounts = Account.objects.bulk_create(
        Account(username=username, name=username.title(), password=password) for username in roles
    )
    RoleGrant.objects.bulk_create(
        RoleGrant(account=account, role=role, scheme_id=number)
        for account, (role, number) in zip(accounts, roles.values(), strict=True)
    )
    Authenticator.objects.bulk_create(
        Authenticator(user=one, type=Authenticator.Type.TOTP, data={"secret": encrypt(generate_totp_secret())})
        for one in accounts
    )
    return accounts


def browser_of(account: Account, *, second_factor_age_s: float | None = 0.0, enforce_csrf: bool = False) -> Client:
    """A browser that the person has signed in to."""
    client = Client(enforce_csrf_checks=enforce_csrf)
    client.force_login(account)
    session = client.session
    records: list[dict[str, object]] = [{"method": "password", "at": time.time()}]
    if second_factor_age_s is not None:
        used = Authenticator.objects.filter(user=account).first()
        records.append(
            {
                "method": "mfa",
                "type": "totp",
                "id": used.pk if used else 0,
                "at": time.time() - second_factor_age_s,
            }
        )
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = str(account.pk)
    session.save()
    return client


@pytest.fixture
def make_person(schemes: dict[int, Scheme]) -> MakePerson:
    """``make_person("jo", ("pcso", HART), …)``: an account with a password, an authenticator app and roles."""
    assert schemes
    return person_of


@pytest.fixture
def signed_in() -> SignedIn:
    """``signed_in(account)``: a browser of that person, with a second factor shown ``second_factor_age_s`` ago."""
    return browser_of


@pytest.fixture
def co_ordinator(make_person: MakePerson) -> Account:
    """Of HART only."""
    return make_person("cora", ("co-ordinator", HART), name="Cora Hart")


@pytest.fixture
def other_co_ordinator(make_person: MakePerson) -> Account:
    """Of Pub Watch only."""
    return make_person("otto", ("co-ordinator", PUB_WATCH), name="Otto Pub")
