"""Every address of central's page, asked by every role, against docs/who-may-what.md."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, get_args

import httpx
import pytest
from starlette.routing import Mount, Route

from central.core.boards import BoardKeeper
from central.core.rights import NO_RIGHTS, Rights, Scope
from central.core.sight import View
from central.core.view import Action, Board, Done, Person, Refused
from central.web.app import create_app
from tests.central.web.scripted_board import NOTICE
from tests.support.central_town import CORNER, CROWN, Town
from tests.support.kept_phones import KeptPhones
from tests.support.town_office import COOKIE, TownOffice, open_session
from wire.snapshots import RoleEntry, RoleSlug

pytestmark = pytest.mark.one_python
DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "who-may-what.md"
ORIGIN: Final = "http://localhost:8080"
ROLES: Final[tuple[RoleSlug, ...]] = get_args(RoleSlug)
COLUMNS: Final = {"fleet-engineer": "Fleet engineer", "members-contact": "Member’s contact", "": "Signed out"}
SECRETS: Final = {
    1: ("The Crown", "00000012", "Pub Watch", "pubwatch"),
    2: ("Corner Shop", "00000010", "HART"),
}
"""What must not be in any answer to somebody of the scheme."""
FORMS: Final = {"/sign-in/code", "/sign-out", "/sign-out-everywhere"}
ACTION: Final = {"action": {"type": "start-watch", "proof": "page"}}
SUBSCRIPTION: Final = {"endpoint": "https://push.example.net/1", "p256dh": "B" * 87, "auth": "a" * 22}
FILE: Final = "/static/icon.svg"


class TownBoard:
    """A town with an alert in each scheme, seen through the real sight."""

    is_ok = True

    def __init__(self) -> None:
        town = Town()
        town.press(7, node=CROWN)
        town.press(8, node=CORNER)
        self._now_at = town.now_at
        self._whole = BoardKeeper(town.board())

    def board(self, scope: Scope) -> Board:
        return View(scope, self._whole, "-v", self._now_at).board(self._now_at)

    def subscribe(self, _deliver: object, _scope: Scope, _cut: object) -> Callable[[], None]:
        return lambda: None

    async def act(self, _action: Action, _by: Person, _rights: Rights = NO_RIGHTS) -> Done | Refused:
        return Done(1)


def table() -> dict[str, dict[str, str]]:
    """What each is answered, by what is asked for and column."""
    _, _, part = DOCUMENT.read_text(encoding="utf-8").partition("# Who may what at central")
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"]
    head, _, *lines = rows
    return {line[0]: dict(zip(head[1:], line[1:], strict=True)) for line in lines}


def asked_for(app: Any) -> set[str]:  # noqa: ANN401 - Starlette
    found = set()
    for route in app.routes:
        if isinstance(route, Mount):
            found.add(f"GET {route.path}")
        elif isinstance(route, Route) and not route.path.startswith("/static/"):
            found |= {f"{method} {route.path}" for method in (route.methods or ()) if method != "HEAD"}
    return found


async def ask(client: httpx.AsyncClient, asked: str) -> httpx.Response:
    method, path = asked.split()
    if path == "/static":
        path = FILE
    if method == "GET":
        return await client.get(path)
    if path in {"/phones/add", "/phones/renew"}:
        return await client.post(path, json=SUBSCRIPTION, headers={"x-watchlink": "1"})
    if path == "/phones/duty":
        return await client.post(path, json={"role": "king"}, headers={"x-watchlink": "1"})
    if path.startswith("/phones/"):
        return await client.post(path, json={"phone": "0" * 32}, headers={"x-watchlink": "1"})
    if path in FORMS:
        return await client.post(path, data={"username": "x", "code": "y"})
    return await client.post(path, json=ACTION if path == "/actions" else {}, headers={"x-watchlink": "1"})


def answer_of(response: httpx.Response) -> str:
    """As the table says it."""
    if response.status_code == httpx.codes.SEE_OTHER:
        to, hash_sign, _ = response.headers["location"].partition("#")
        assert "/" == to
        return "yes" if hash_sign else "sign in"  # A tap opens what waits.
    if response.status_code != httpx.codes.OK:
        return str(response.status_code)
    is_door = "<title>Sign in" in response.text and response.request.url.path == "/"
    return "sign in" if is_door else "yes"


def test_every_address_is_in_the_table() -> None:
    app = create_app(TownBoard(), TownOffice().gate(), inter_font_dir=None, notice=NOTICE)

    assert asked_for(app) == set(table())


@pytest.mark.parametrize("scheme", [1, 2])
@pytest.mark.parametrize("role", [*ROLES, ""])
def test_every_address_answers_each_role_as_the_table_says(role: RoleSlug, scheme: int) -> None:
    async def walk() -> dict[str, str]:
        answers = {}
        for asked in table():
            office = TownOffice()
            gate = office.gate()
            account = office.add("Wal King", role or "cctv").account
            office.change(account, roles=(RoleEntry(role=role or "cctv", schemes=(scheme,)),))
            gate.take_people(office.snapshot())
            phones = KeptPhones().phones(gate.now)
            app = create_app(TownBoard(), gate, inter_font_dir=None, notice=NOTICE, phones=phones)
            cookies = {COOKIE: await open_session(gate, account)} if role else {}
            transport = httpx.ASGITransport(app)
            headers = {"origin": ORIGIN}
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, cookies=cookies) as client,
            ):
                app.state.feed.close()  # A stream would go on for ever.
                response = await ask(client, asked)
            answers[asked] = answer_of(response)
            if asked != "GET /static":
                assert [] == [secret for secret in SECRETS[scheme] if secret in response.text], asked
        return answers

    column = COLUMNS.get(role, "Acting roles")
    assert {asked: line[column] for asked, line in table().items()} == asyncio.run(walk())
