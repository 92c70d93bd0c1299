"""A central that runs, its office's folder, and people who sign in at it (ADR 0022)."""

from __future__ import annotations

import ssl
import time
from itertools import takewhile
from pathlib import Path

import httpx
import pytest

from demo.stand_in_office import StandInOffice
from provisioning.certificates import issue_server_certificate
from provisioning.fleet import Fleet
from provisioning.office import change_keys
from tests.support.central_program import CentralProgram, office_of, running_central
from tests.support.fleet_broker import DEADLINE_S, free_port, wait_until
from tests.support.software_passkey import SoftwarePasskey
from tests.support.town_office import COOKIE, DOOR
from wire.subjects import SERVICES

pytestmark = pytest.mark.integration


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    schemes = {"hart": "HART", "pubwatch": "Pub Watch"}
    fleet = Fleet.init(tmp_path / "town", schemes=schemes, port=1, web_port=free_port())
    fleet.add("Corner Shop", "High St", ["hart"])
    return fleet


@pytest.fixture
def config(fleet: Fleet) -> Path:
    return fleet.layout.central / "central.toml"


@pytest.fixture
def office(config: Path) -> StandInOffice:
    office = office_of(config)
    office.add("Priya Shah", "cctv")
    office.publish()
    return office


def status(central: CentralProgram, cookie: str, path: str = "board.json") -> int:
    return httpx.get(central.url + path, cookies={COOKIE: cookie}, timeout=DEADLINE_S).status_code


def enter(central: CentralProgram, ticket: str, secret: str) -> httpx.Response:
    headers = {"cookie": f"{DOOR}={secret}"}
    return httpx.get(f"{central.url}enter", params={"ticket": ticket}, headers=headers, timeout=DEADLINE_S)


def test_session_outlives_a_kill_of_central(config: Path, office: StandInOffice) -> None:
    with running_central(config) as central:
        cookie = office.sign_in(central.url, 1)
        central.kill()
    with running_central(config) as central:
        assert 200 == status(central, cookie)


def test_ticket_is_not_taken_twice_across_a_kill(config: Path, office: StandInOffice) -> None:
    with running_central(config) as central:
        secret = httpx.get(central.url, timeout=DEADLINE_S).cookies[DOOR]
        ticket = office.ticket(1, secret)
        first = enter(central, ticket, secret)
        central.kill()
    with running_central(config) as central:
        again = enter(central, ticket, secret)
        log = central.log.read_text()

    assert (303, 403) == (first.status_code, again.status_code)
    assert "used already" in again.text
    assert ticket not in log


def test_account_that_ends_ends_the_open_stream(config: Path, office: StandInOffice) -> None:
    with running_central(config) as central:
        cookies = {COOKIE: office.sign_in(central.url, 1)}
        with httpx.stream("GET", f"{central.url}feed", cookies=cookies, timeout=DEADLINE_S) as feed:
            lines = feed.iter_lines()
            next(lines)
            del office.people[1]
            office.publish()
            # Not by their number: while the office's file is on its way there may be any number of beats.
            until_s = time.monotonic() + DEADLINE_S
            assert "event: bye" in takewhile(lambda _: time.monotonic() < until_s, lines)

        assert 401 == status(central, cookies[COOKIE])
        assert "Your account has ended" in httpx.get(central.url, cookies=cookies, timeout=DEADLINE_S).text


def test_account_that_ended_while_central_was_down_is_out_at_its_start(config: Path, office: StandInOffice) -> None:
    with running_central(config) as central:
        cookie = office.sign_in(central.url, 1)
    office.change(1, generation=2)
    office.publish()
    with running_central(config) as central:
        assert 401 == status(central, cookie)


def test_people_sign_in_by_passkey_with_the_office_and_its_folder_gone(config: Path, office: StandInOffice) -> None:
    """C2: the office is dead at shift change, and central itself starts anew."""
    passkey = SoftwarePasskey()
    office.change(1, passkeys=(passkey.entry,))
    office.publish()
    assert office.folder is not None
    with running_central(config):
        pass
    for file in office.folder.iterdir():
        file.unlink()
    office.folder.rmdir()
    with running_central(config) as central:
        url = central.url.replace("127.0.0.1", "localhost")
        headers = {"x-watchlink": "1"}
        with httpx.Client(base_url=url, headers=headers, timeout=DEADLINE_S) as browser:
            door = browser.get("/").text
            assert "Something is not in order between the office and this central" in door
            assert "cannot be read" not in door  # a stranger learns of no folder
            options = browser.post("/sign-in/passkey/begin").json()
            done = browser.post("/sign-in/passkey/finish", json=passkey.answer(options, url.rstrip("/")))
            assert 200 == done.status_code, done.text
            assert 200 == browser.get("/board.json").status_code
            assert "cannot be read" in browser.get("/").text
            assert "with a passkey, without the office" in browser.get("/session").text
        assert "signed in without the office" in central.log.read_text()


def test_older_list_is_refused_and_the_page_says_so(config: Path, office: StandInOffice) -> None:
    """An office that was restored from a backup must not let an ended account in again."""
    with running_central(config) as central:
        cookie = office.sign_in(central.url, 1)
        assert office.folder is not None
        for file in office.folder.glob("*.json"):
            file.unlink()
        office.number = 0
        office.people.clear()
        office.publish()

        def page() -> str:
            return httpx.get(central.url, cookies={COOKIE: cookie}, timeout=DEADLINE_S).text

        wait_until(lambda: "lower than number" in page(), "the page says it")
        assert 200 == status(central, cookie)


def test_key_that_is_struck_is_told_and_the_last_list_stays(fleet: Fleet, config: Path, office: StandInOffice) -> None:
    with running_central(config) as central:
        cookie = office.sign_in(central.url, 1)
        change_keys(Fleet.open(fleet.layout.town).folder, strike=office.key.public.raw.hex())

        def page() -> str:
            return httpx.get(central.url, cookies={COOKIE: cookie}, timeout=DEADLINE_S).text

        wait_until(lambda: "no longer trusted" in page(), "the page says it")
        assert 200 == status(central, cookie)


def test_central_without_an_office_runs_and_says_how_to_get_one(config: Path) -> None:
    with running_central(config, has_accounts=False) as central:
        page = httpx.get(central.url, timeout=DEADLINE_S)
        health = httpx.get(f"{central.url}healthz", timeout=DEADLINE_S)

    assert "watchlink office init" in page.text
    assert {"is_ok": False} == health.json(), "there is no broker in this test, and a stranger learns no more"


def test_page_is_served_by_tls_under_its_name_alone(fleet: Fleet, config: Path, office: StandInOffice) -> None:
    name = "central.town.example"
    issued = issue_server_certificate(fleet.issuer(SERVICES), (name,))
    fleet.layout.write_certificate(config.parent, "web", issued)
    own = f'names = ["{name}"]\ncertificate_file = "web.pem"\nkey_file = "web.key"\n'
    config.write_text(config.read_text().replace("\n[web]\n", f"\n[web]\n{own}"))
    trust = ssl.create_default_context(cafile=fleet.layout.central / "ca.pem")
    with running_central(config) as central:
        assert central.url.startswith("https://127.0.0.1:")
        headers, sni = {"host": f"{name}:{httpx.URL(central.url).port}"}, {"sni_hostname": name}
        with httpx.Client(base_url=central.url, verify=trust, headers=headers, timeout=DEADLINE_S) as browser:
            answer = browser.get("/", extensions=sni)
            assert 200 == answer.status_code
            assert answer.headers["set-cookie"].startswith("__Host-")
            assert "strict-transport-security" in answer.headers
            assert 421 == browser.get("/", headers={"host": "other.town.example"}, extensions=sni).status_code
