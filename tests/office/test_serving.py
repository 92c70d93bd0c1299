"""``watchlink office serve`` as it runs: a browser's way from the first link to the people's page."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pyotp
import pytest

from tests.support.fleet_broker import DEADLINE_S, free_port
from tests.support.office_program import clean_environment, found, write_config

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Address of the pages, the path of the first co-ordinator's link, and the address of the public page."""
    config_file = write_config(tmp_path_factory.mktemp("office"), port=free_port())
    config_file.write_text(f'{config_file.read_text()}\n[public]\nhost = "127.0.0.1"\nport = 0\n')
    link = re.findall(r"/join/[\w-]+/", found(config_file))[0]
    program = subprocess.Popen(
        [sys.executable, "-m", "watchlink.cli", "office", "serve", "--config", str(config_file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    assert program.stdout is not None
    fact, public = (json.loads(program.stdout.readline()) for _ in range(2))
    yield fact["url"].rstrip("/"), link, public["url"]
    program.send_signal(signal.SIGTERM)
    _, said = program.communicate(timeout=DEADLINE_S)
    assert program.returncode == 0, said
    assert "Traceback" not in said
    assert link.split("/")[2] not in said


def _get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, timeout=DEADLINE_S)


def _field(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def _post(browser: httpx.Client, path: str, **sent: str) -> httpx.Response:
    token = _field(browser.get(path), "csrfmiddlewaretoken")
    return browser.post(path, data={**sent, "csrfmiddlewaretoken": token})


def test_the_first_co_ordinator_comes_in(served: tuple[str, str, str]) -> None:
    address, link, _ = served
    words = "correct horse battery staple"
    with httpx.Client(base_url=address, timeout=DEADLINE_S) as browser:
        assert _post(browser, link, username="cora", password=words, again=words).status_code == 302
        page = browser.get("/account/app/")
        secret = re.findall(r'class="code">([A-Z2-7]{32})<', page.text)[0]
        code = pyotp.TOTP(secret).generate_otp(int(time.time()) // 30)
        sent = {"code": code, "csrfmiddlewaretoken": _field(page, "csrfmiddlewaretoken")}
        assert browser.post("/account/app/", data=sent).headers["location"] == "/account/recovery-codes/"
        people = browser.get("/people/")
        upload = {"csrfmiddlewaretoken": _field(browser.get("/premises/import/"), "csrfmiddlewaretoken")}
        too_many = {"file": b"Name,Member\n" + b"Inn,Inns Ltd\n" * 100_000}
        read = browser.post("/premises/import/", data=upload, files=too_many)
        browser.cookies.clear()
        unread = browser.post("/premises/import/", data=upload, files=too_many)

    assert (read.status_code, unread.status_code) == (400, 413)
    assert "5000 is the most" in read.text
    assert "Sign in" in unread.text
    assert people.status_code == 200
    assert "First co-ordinator" in people.text
    assert people.headers["content-security-policy"].startswith("default-src 'none'")
    assert re.search(r"<style|style=|<script(?! src=)(?! id=)|onclick", people.text) is None


def test_own_files_are_served(served: tuple[str, str, str]) -> None:
    for path in ("css/tokens.css", "css/office.css", "js/passkey.js", "icon.svg"):
        assert _get(f"{served[0]}/static/{path}").status_code == 200
    assert _get(f"{served[0]}/static/../settings.py").status_code == 404


def test_a_strange_host_is_refused(served: tuple[str, str, str]) -> None:
    assert _get(f"{served[0]}/sign-in/", host="evil.example").status_code == 400


def test_a_form_of_ten_megabytes_is_refused(served: tuple[str, str, str]) -> None:
    assert httpx.post(f"{served[0]}/sign-in/", content=bytes(10 << 20), timeout=DEADLINE_S).status_code == 413
    assert _get(f"{served[0]}/sign-in/").status_code == 200


def test_the_public_page_answers_apart_from_the_pages(served: tuple[str, str, str]) -> None:
    address, _, public = served
    answer = _get(public)

    assert "Nothing is published yet." in answer.text
    assert "set-cookie" not in answer.headers
    assert _get(f"{public}sign-in/").status_code == 404
    assert _get(f"{address}/hart/").status_code == 404
