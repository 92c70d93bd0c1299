"""The pages on PostgreSQL, which is restarted under them as a crash would. Part of ``make test-deep``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest

from office.audit.triggers import LOCK
from tests.support.fleet_broker import DEADLINE_S, free_port, wait_until
from tests.support.office_program import clean_environment, in_office, office, write_config
from tests.support.postgresql import VARIABLE, Cluster, cluster

pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason="PostgreSQL is for make test-deep")

ROWS: Final = 400
IN_THE_REGISTER: Final = (
    "SELECT (SELECT count(*) FROM members_premises), (SELECT count(*) FROM members_member),"
    " (SELECT count(*) FROM members_membership), (SELECT count(*) FROM audit_auditrow)"
)
WAITING: Final = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
SIGN_IN: Final = """
import time
from allauth.mfa.models import Authenticator
from django.test import Client
from office.accounts.models import Account, RoleGrant, Scheme
cora = Account.objects.create(username="cora", name="Cora Hart")
RoleGrant.objects.create(account=cora, role="co-ordinator", scheme=Scheme.objects.get(slug="hart"))
Authenticator.objects.create(user=cora, type="totp", data={"secret": ""})
browser = Client()
browser.force_login(cora)
session = browser.session
session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": time.time()}]
session.save()
print(session.session_key)
"""


class Office:
    """The pages' program on a PostgreSQL of its own, and the browser of a co-ordinator who is signed in."""

    def __init__(self, server: Cluster, folder: Path, workers: int) -> None:
        self.server = server
        self.file = write_config(folder, port=free_port())
        text = self.file.read_text().replace("[web]\n", f"[web]\nworkers = {workers}\n")
        self.file.write_text(f'database = "{server.url}"\n{text}')
        assert 0 == office("init", "--config", self.file).returncode
        self.cookie = in_office(self.file, SIGN_IN).strip()
        self.errors = folder / "serve.log"
        with self.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "watchlink.cli", "office", "serve", "--config", str(self.file)],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=clean_environment(),
            )
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]
        self.browser = httpx.Client(
            base_url=self.url, cookies={"watchlink-office": self.cookie}, headers={"origin": self.url[:-1]}, timeout=60
        )

    def stop(self) -> int:
        self.browser.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=DEADLINE_S)
        return self._process.returncode

    def asked(self, sql: str) -> tuple[int, ...]:
        """A row, by a connection of the test's own."""
        with closing(psycopg.connect(self.server.url)) as connection:
            row = connection.execute(sql).fetchone()
        assert row is not None
        return tuple(row)

    def send(self, path: str, page: httpx.Response, **more: str) -> httpx.Response:
        return self.browser.post(path, data={**_hidden(page), **more})


def _hidden(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A server of this test alone: the other tests do not like restarts."""
    with cluster() as running:
        yield running


@pytest.fixture
def served(server: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Office]:
    running = Office(server, tmp_path, request.param)
    yield running
    assert 0 == running.stop()


@pytest.mark.parametrize("served", [1], indirect=True, ids=["one worker, whose connection breaks"])
def test_import_that_a_crash_of_the_database_cuts_off_leaves_nothing_and_can_be_sent_again(served: Office) -> None:
    browser = served.browser
    file = "Name,Member\n" + "".join(f"Shop {n},Shops {n % 7} Ltd\n" for n in range(ROWS))
    upload = browser.get("/premises/import/")
    sent = browser.post("/premises/import/", data=_hidden(upload), files={"file": file.encode()})
    preview = browser.get(sent.headers["location"])
    assert f"{ROWS} new premises" in preview.text
    before = served.asked(IN_THE_REGISTER)
    with closing(psycopg.connect(served.server.url)) as held, ThreadPoolExecutor(1) as beside:
        # The audit's lock: all is written but the last rows, and none of it committed.
        held.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        answer = beside.submit(served.send, sent.headers["location"], preview)
        wait_until(lambda: served.asked(WAITING) == (1,), "the import waits in the database")
        served.server.stop(signal.SIGQUIT)
        cut_off = answer.result(DEADLINE_S)
    away = browser.get("/premises/")
    large = browser.post("/premises/import/", data=_hidden(upload), files={"file": bytes(400_000)})
    served.server.start()
    after = served.asked(IN_THE_REGISTER)
    first = browser.get("/premises/")
    done = served.send(sent.headers["location"], browser.get(sent.headers["location"]))

    assert (503, 503, 503) == (cut_off.status_code, away.status_code, large.status_code)
    assert "The office’s database did not answer. Try again in a minute, but look first" in cut_off.text
    assert "The office’s database did not answer. Try again in a minute." in away.text
    assert "The office’s database did not answer. Send the file again in a minute." in large.text
    assert before == after
    assert (200, False) == (first.status_code, "Shop 1" in first.text)
    assert (302, "/premises/") == (done.status_code, done.headers.get("location"))
    assert (ROWS, 7, 7) == served.asked(IN_THE_REGISTER)[:3]
    assert 0 == office("audit", "verify", "--config", served.file).returncode
    assert "Traceback" not in served.errors.read_text()


@pytest.mark.parametrize("served", [3], indirect=True, ids=["three workers"])
def test_restart_that_nobody_was_asking_during_is_not_noticed(served: Office) -> None:
    """Connections that were open are dead: each is looked at before it is used again."""
    with ThreadPoolExecutor(8) as people:
        assert {200} == {one.status_code for one in people.map(served.browser.get, ["/premises/"] * 24)}
    served.server.stop(signal.SIGQUIT)
    served.server.start()
    first = served.browser.get("/premises/")
    with ThreadPoolExecutor(8) as people:
        later = {one.status_code for one in people.map(served.browser.get, ["/premises/"] * 24)}

    assert (200, {200}) == (first.status_code, later)
    assert "Cora Hart" in first.text
