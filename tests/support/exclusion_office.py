"""An office as it runs, pages and papers, with the people of an exclusion: each has a browser's session already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pyotp
from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext

from tests.support.office_program import clean_environment, found, write_config

ROOT: Final = Path(__file__).parents[2]
COOKIE: Final = "watchlink-office"
CO_ORDINATOR, POLICE = "cora", "pc"
NOMINATOR: Final = "contact1"
VOTERS: Final = ("contact2", "contact3", "contact4")
"""Of the other three members."""
_PATIENT: Final = """
import sys
from office.people import intake_process
from watchlink.cli import main
for name in ("DEADLINE_S", "MARK_DEADLINE_S", "WAITS_S"):
    setattr(intake_process, name, 120.0)
sys.exit(main())
"""
"""``watchlink``, in which the processes that read and mark photographs have all the time that a busy machine needs."""
SECOND_FACTOR_AGE_S: Final = 3_600.0
"""So long ago that what is grave asks for another."""


class Made(Struct, frozen=True):
    """What :func:`fill` has made.

    Attributes:
        sessions: username → value of the office's cookie.
        secret: of the co-ordinator's authenticator app, if somebody needs it.
        addresses: of pages that are worth a look, by what they show.
    """

    sessions: dict[str, str]
    secret: str = ""
    addresses: dict[str, str] = {}


class RunningOffice(Struct, frozen=True):
    """An office whose pages and papers run.

    Attributes:
        folder: of its files.
        url: of its pages, without a slash at the end.
    """

    folder: Path
    url: str
    made: Made

    @property
    def code(self) -> str:
        """What the co-ordinator's authenticator app shows now."""
        return pyotp.TOTP(self.made.secret).now()

    @property
    def photograph_files(self) -> list[str]:
        """Names of the sealed files."""
        return sorted(file.name for file in (self.folder / "data" / "photographs").rglob("*") if file.is_file())

    def context(self, browser: Browser, username: str, **options: Any) -> BrowserContext:  # noqa: ANN401 - Playwright's
        """A browser of its own for somebody who has signed in."""
        context = browser.new_context(
            base_url=self.url, locale="en-GB", timezone_id="Europe/London", reduced_motion="reduce", **options
        )
        context.add_cookies([{"name": COOKIE, "value": self.made.sessions[username], "url": self.url}])
        return context


@contextmanager
def running(
    folder: Path,
    filled_by: Sequence[str] = ("tests.support.exclusion_office",),
    *,
    publishes: bool = False,
    forbidden: tuple[str, ...] = (),
    schemes: Mapping[str, str] | None = None,
) -> Iterator[RunningOffice]:
    """Found it, let people in, and run its programs until the end of the block.

    Args:
        folder: for its files; the address of a local socket in it holds 107 characters.
        filled_by: a module, and its arguments before the configuration's file, that prints :class:`Made` as JSON.
        publishes: whether the publisher runs too.
        forbidden: words that no log may have.
        schemes: slug to name, of other schemes than those of the tests.
    """
    config_file = write_config(folder, port=0, schemes=schemes)
    config_file.write_text(f'{config_file.read_text()}\n[papers]\nsocket = "papers.sock"\n')
    found(config_file)
    command = [sys.executable, "-m", *filled_by, str(config_file)]
    filled = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, check=False)
    assert filled.returncode == 0, filled.stderr.decode()
    made = msgspec.json.decode(filled.stdout, type=Made)
    programs = [_started("serve", "--config", config_file), _started("papers", "--socket", folder / "papers.sock")]
    if publishes:
        programs.append(_started("publish", "--config", config_file))
    try:
        url, *_ = [str(_first_fact(program).get("url")) for program in programs]
        yield RunningOffice(folder, url.rstrip("/"), made)
    finally:
        for program in programs:
            program.terminate()
        said = [program.communicate(timeout=120) for program in programs]
    for program, (out, errors) in zip(programs, said, strict=True):
        assert program.returncode == 0, errors
        assert "" == errors, errors
        assert [] == [word for word in forbidden if word in out]


def _started(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PATIENT, "office", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )


def _first_fact(program: subprocess.Popen[str]) -> Mapping[str, object]:
    assert program.stdout is not None
    line = program.stdout.readline()
    assert line, program.communicate()[1]
    fact: Mapping[str, object] = json.loads(line)
    return fact


def set_up_django(config_file: str) -> None:
    """For what runs in the office's own database."""
    os.environ["WATCHLINK_OFFICE_CONFIG"] = config_file
    os.environ["DJANGO_SETTINGS_MODULE"] = "office.settings"
    import django  # noqa: PLC0415 - it reads the settings, so they must be named first

    django.setup()


def fill(config_file: str) -> Made:
    """Let people in. Django is set up here, so it wants a process of its own."""
    set_up_django(config_file)
    from allauth.mfa.adapter import get_adapter  # noqa: PLC0415 - as above
    from allauth.mfa.models import Authenticator  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    from office.accounts.models import Account, Scheme  # noqa: PLC0415
    from tests.office.conftest import HART, browser_of, person_of  # noqa: PLC0415
    from tests.office.exclusions.conftest import Town  # noqa: PLC0415

    # Nobody signs in with these, and the usual hash takes a quarter of a second on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    town = Town({one.number: one for one in Scheme.objects.all()})
    person_of(POLICE, ("police", HART), name="Kit Lowe")
    people = Account.objects.filter(username__in=(CO_ORDINATOR, POLICE, NOMINATOR, *VOTERS))
    sessions = {
        one.username: browser_of(one, second_factor_age_s=SECOND_FACTOR_AGE_S).cookies[COOKIE].value for one in people
    }
    app = Authenticator.objects.get(user=town.cora, type=Authenticator.Type.TOTP)
    return Made(sessions, get_adapter().decrypt(app.data["secret"]))


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(fill(sys.argv[1])))
