"""``POST /enrol``: what is given, what is refused, and what stays as it was."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import httpx
import pytest
from cryptography import x509

from enrolment.app import EnrolmentService
from enrolment.config import load_configuration
from enrolment.register import Register, RegisterError
from enrolment.rules.claiming import Problem
from enrolment.rules.guessing import BULK_FAILURES, REQUESTS_AT_ONCE
from provisioning.collecting import collect
from provisioning.delegate import end_delegation
from provisioning.fleet import Fleet
from provisioning.replacing import replace_node
from runtime.issuing import subject_name
from runtime.logs import FactLog
from runtime.service import Service
from runtime.slowing import FREE_FAILURES
from tests.support.enrolling_town import FIRST, EnrollingTown, NewUnit, code_of, open_claim
from wire.directory import Directory, open_directory
from wire.enrolment import ENROL_PATH, PROBLEMS, REQUEST_BYTES_MAX
from wire.ids import NodeId

HERE, ELSEWHERE = ("192.0.2.1", 1), ("192.0.2.2", 1)


class Desk:
    """The service without its socket."""

    def __init__(self, town: EnrollingTown) -> None:
        self.town = town
        self._told = io.StringIO()
        self.service = EnrolmentService(load_configuration(town.config), FactLog(self._told), Service())

    def ask(self, body: bytes, client: tuple[str, int] = HERE) -> tuple[int, dict[str, Any]]:
        """From that address."""
        return asyncio.run(self._ask(body, client))

    async def _ask(self, body: bytes, client: tuple[str, int]) -> tuple[int, dict[str, Any]]:
        transport = httpx.ASGITransport(self.service.app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="https://town.example") as asking:
            answer = await asking.post(ENROL_PATH, content=body)
        found: dict[str, Any] = answer.json()
        return answer.status_code, found

    def problem(self, body: bytes, client: tuple[str, int] = HERE) -> str:
        """Of a request that is refused."""
        status, answer = self.ask(body, client)
        assert status >= 400, answer
        return str(answer["problem"])

    def enrolled(self) -> list[str]:
        """Nodes of the directory that the authority does not list."""
        return [f"{node:08x}" for node in self.directory().senders if node >= FIRST]

    def directory(self) -> Directory:
        """As central finds it."""
        return open_directory(self.town.changed.read_bytes(), self.town.fleet.folder.authority_public())

    def facts(self, name: str) -> list[dict[str, Any]]:
        """Those that were told."""
        return [one for one in map(json.loads, self._told.getvalue().splitlines()) if one["fact"] == name]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet that no test changes."""
    town = EnrollingTown.found(tmp_path_factory.mktemp("founded") / "town")
    town.reserve(1)
    return town.fleet.layout.town


@pytest.fixture
def town(founded: Path, tmp_path: Path) -> EnrollingTown:
    shutil.copytree(founded, tmp_path / "town")
    fleet = Fleet.open(tmp_path / "town")
    return EnrollingTown(fleet, fleet.layout.enrolment)


@pytest.fixture
def start(town: EnrollingTown) -> Iterator[Callable[[], Desk]]:
    """Starts the service; again after a crash."""
    desks: list[Desk] = []

    def begin() -> Desk:
        desks.append(Desk(town))
        return desks[-1]

    yield begin
    for desk in desks:
        desk.service.close()


@pytest.fixture
def desk(start: Callable[[], Desk]) -> Desk:
    return start()


@pytest.fixture
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """All happens in it: on a busy machine a few requests take seconds, and who is slowed would have waited."""
    now_s = time.monotonic()
    monkeypatch.setattr("enrolment.handlers.enrolling.time", SimpleNamespace(monotonic=lambda: now_s))


def test_claim_is_spent_once_and_the_second_card_is_told(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    assert 200 == desk.ask(NewUnit().sealed())[0]

    assert "used" == desk.problem(NewUnit().sealed(), ELSEWHERE)
    assert "TWO UNITS FOR ONE IDENTITY" in caplog.text
    assert {"problem": "used", "node": "00000010", "address": "192.0.2.2"}.items() <= desk.facts("claim refused")[
        0
    ].items()
    assert ["00000010"] == desk.enrolled()


def test_lost_answer_is_given_again_also_after_a_crash(start: Callable[[], Desk]) -> None:
    unit = NewUnit()
    given = start().ask(unit.sealed())
    again = start()
    again.town.claim()  # The fleet has taken it from its list meanwhile.

    assert given == again.ask(unit.sealed())
    assert ["00000010"] == again.enrolled()


@pytest.mark.parametrize("changed", ["tls", "gallery", "signing", "sealing"])
def test_one_other_key_is_another_unit(desk: Desk, changed: str) -> None:
    unit = NewUnit()
    desk.ask(unit.sealed())
    setattr(unit, changed, getattr(NewUnit(), changed))

    assert "used" == desk.problem(unit.sealed())


def test_only_the_claim_says_who_somebody_is(desk: Desk) -> None:
    _, answer = desk.ask(NewUnit(subject=subject_name("00000001", "services")).sealed())
    own = x509.load_pem_x509_certificates(answer["certificate"].encode())[0]

    assert "CN=00000010,O=node" == own.subject.rfc4514_string()
    assert desk.directory().senders[NodeId(1)].is_central
    assert not desk.directory().senders[NodeId(FIRST)].is_central


def test_claim_that_has_ended_is_refused(desk: Desk) -> None:
    desk.town.claim(open_claim(ends_at=1))

    assert "expired" == desk.problem(NewUnit().sealed())
    assert [] == desk.enrolled()


def test_claim_for_another_premises_stays_open_for_it(desk: Desk) -> None:
    assert "other node" == desk.problem(NewUnit(FIRST + 1, code_of(FIRST)).sealed())

    assert 200 == desk.ask(NewUnit().sealed(), ELSEWHERE)[0]


def test_withdrawn_and_invented_claims_are_unknown(desk: Desk) -> None:
    desk.town.claim()

    assert "unknown claim" == desk.problem(NewUnit().sealed())
    assert "unknown claim" == desk.problem(NewUnit(0x42).sealed())


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"\xff", b"[" * 10_000, b'{"document":"e30=","signature":""}', b"x" * (2 * REQUEST_BYTES_MAX + 1)],
    ids=["empty", "nothing", "not UTF-8", "nested", "no request", "endless"],
)
def test_junk_is_refused(desk: Desk, body: bytes) -> None:
    assert "malformed" == desk.problem(body)


def test_requests_that_others_have_signed_are_refused(desk: Desk) -> None:
    ours, theirs = NewUnit(), NewUnit()
    assert "malformed" == desk.problem(ours.sealed(signing_key=theirs.signing.public.raw))
    forged = bytearray(ours.request(ours.tls))
    forged[-1] ^= 1
    assert "malformed" == desk.problem(ours.sealed(tls_request=bytes(forged)))

    assert [] == desk.enrolled()


def test_typing_error_in_a_code_is_no_guess_at_another(desk: Desk) -> None:
    code = code_of(FIRST)
    typo = ("0" if code[0] != "0" else "1") + code[1:]

    assert "malformed" == desk.problem(NewUnit(code=typo).sealed())


@pytest.mark.usefixtures("_one_moment")
def test_guessing_in_bulk_is_slowed_and_told(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    problems = [desk.problem(NewUnit(0x42).sealed(), (f"192.0.2.{number // 4}", 1)) for number in range(BULK_FAILURES)]
    assert ["unknown claim"] * BULK_FAILURES == problems
    assert "CLAIMS ARE GUESSED" in caplog.text
    for _ in range(5):
        desk.problem(NewUnit(0x42).sealed(), ELSEWHERE)

    assert "slow down" == desk.problem(NewUnit(0x42).sealed(), ELSEWHERE)
    assert "slow down" == desk.problem(b"{}", ELSEWHERE)
    assert 200 == desk.ask(NewUnit().sealed(), ("198.51.100.1", 1))[0]


@pytest.mark.usefixtures("_one_moment")
def test_guesser_behind_the_same_router_keeps_no_shop_out(desk: Desk) -> None:
    """A market hall has one address: who guesses there once in five minutes would close it for all."""
    copied, unit = NewUnit(), NewUnit()
    for _ in range(FREE_FAILURES):
        desk.problem(NewUnit(0x42).sealed())

    assert "slow down" == desk.problem(NewUnit(0x42).sealed())
    assert 200 == desk.ask(unit.sealed())[0]
    for _ in range(FREE_FAILURES):
        desk.problem(NewUnit(0x42).sealed())
    assert 200 == desk.ask(unit.sealed())[0], "its answer was lost"

    for _ in range(FREE_FAILURES):
        desk.problem(NewUnit(0x42).sealed())
    assert "slow down" == desk.problem(copied.sealed()), "a copied card waits as guessers do"


@pytest.mark.usefixtures("_one_moment")
@pytest.mark.parametrize("is_struck", [True, False])
def test_stolen_unit_takes_nobodys_turn(desk: Desk, is_struck: bool) -> None:  # noqa: FBT001 - a case
    thief, honest = NewUnit(), NewUnit(FIRST + 1)
    body = thief.sealed()
    desk.ask(body)
    if is_struck:
        collect(desk.town.fleet.folder, desk.town.changed)
        replace_node(desk.town.fleet, "00000010")
        desk.service.look()
    desk.town.claim(open_claim(FIRST + 1))
    told = [desk.ask(body, ELSEWHERE)[0] for _ in range(REQUESTS_AT_ONCE)]

    assert 429 == told[-1]
    assert FREE_FAILURES >= sum(status != 429 for status in told)
    assert 200 == desk.ask(honest.sealed(), ELSEWHERE)[0]


def test_card_of_a_struck_node_needs_another_and_is_no_copy(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.ask(NewUnit().sealed())
    collect(desk.town.fleet.folder, desk.town.changed)
    replace_node(desk.town.fleet, "00000010")
    desk.service.look()

    assert "replaced" == desk.problem(NewUnit().sealed())
    assert "OLD CARD" in caplog.text
    assert "TWO UNITS" not in caplog.text


def test_fifty_units_from_one_address_are_enrolled_at_once(desk: Desk) -> None:
    desk.town.claim(*(open_claim(FIRST + number) for number in range(50)))
    units = [NewUnit(FIRST + number) for number in range(50)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda unit: desk.ask(unit.sealed()), units))

    assert [200] * 50 == [status for status, _ in answers]
    keys = {node: sender.key for node, sender in desk.directory().senders.items() if node >= FIRST}
    assert {NodeId(unit.number): unit.signing.public for unit in units} == keys


def test_nothing_is_spent_when_the_delegation_has_ended(desk: Desk) -> None:
    end_delegation(desk.town.fleet.folder)

    assert (503, {"problem": "closed", "retry_s": 60}) == desk.ask(NewUnit().sealed())
    assert [] == desk.enrolled()


def test_full_disk_spends_nothing_or_answers_again(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """The folder of the directory is gone after the claim was spent: the service writes it once it is back."""
    unit = NewUnit()
    desk.service.look()
    moved = desk.town.changed.parent.rename(desk.town.folder / "elsewhere")
    with caplog.at_level(logging.ERROR):
        assert "closed" == desk.problem(unit.sealed())
    moved.rename(desk.town.changed.parent)
    desk.service.look()

    assert ["00000010"] == desk.enrolled()
    assert 200 == desk.ask(unit.sealed())[0]


def test_next_directory_of_the_authority_is_signed_again(desk: Desk) -> None:
    unit = NewUnit()
    desk.ask(unit.sealed())
    before = desk.directory()
    desk.town.fleet.add("Station Hotel", "", ["hart"], profile="fake")
    desk.service.look()
    after = desk.directory()

    assert before.base != after.base
    assert after.serial > before.serial
    assert unit.signing.public == after.senders[NodeId(FIRST)].key
    assert "Station Hotel" in {sender.premises for sender in after.senders.values()}


def test_register_that_cannot_be_read_ends_no_service_and_is_told_once(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = NewUnit()
    desk.ask(unit.sealed())
    desk.town.fleet.add("Station Hotel", "", ["hart"], profile="fake")

    def refuse(_register: Register) -> None:
        raise RegisterError("disk I/O error")

    with monkeypatch.context() as disk, caplog.at_level(logging.ERROR):
        disk.setattr(Register, "enrolled", refuse)
        for _ in range(3):
            desk.service.look()
    assert 1 == caplog.text.count("disk I/O error")

    desk.service.look()
    assert unit.signing.public == desk.directory().senders[NodeId(FIRST)].key
    assert "Station Hotel" in {sender.premises for sender in desk.directory().senders.values()}


def test_damaged_list_of_claims_leaves_the_last_good_one(desk: Desk) -> None:
    assert "unknown claim" == desk.problem(NewUnit(0x42).sealed())
    desk.town.fleet.layout.claims.write_bytes(b"{")

    assert 200 == desk.ask(NewUnit().sealed())[0]


def test_every_problem_is_one_of_the_contract() -> None:
    assert {"malformed", "slow down", "closed", *get_args(Problem)} == set(PROBLEMS)
