"""A street is opened: fifty units claim at the same moment, over TLS, from one address."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509

from enrolment.register import Register
from node.config import load_config
from node.enrol import asking
from node.enrol.command import STATUS_ARMED, Standing, enrol
from runtime.slowing import FREE_FAILURES
from tests.support.enrolling_town import FIRST, EnrollingTown, NewUnit, ServiceProcess, open_claim, running_service
from tests.support.fleet_broker import DEADLINE_S, free_port, wait_until
from wire.directory import open_directory
from wire.ids import NodeId
from wire.seed import SEED_FILE, encode_seed

pytestmark = pytest.mark.integration
COUNT = 50
OTHERS = 120
"""Elsewhere in the town. Each may have its answer repeated a few times: together more than the service gives."""
PATIENT = "import runtime.web_connections as web; web.OWED_WITHIN_S = 120.0; "
"""The crowd's fifty threads share one interpreter: on a busy machine one may not get its turn for ten seconds."""
SLOW = PATIENT + "import enrolment.rules.guessing as rules; rules.REQUESTS_AT_ONCE = 40; rules.REQUESTS_EACH_S = 5.0; "
"""So the crowd uses up what the service looks at, however slowly a busy machine lets it ask."""
WITHIN_S = 240.0
"""Of a machine that is busy with other things. How long it takes on two slow cores, docs/enrolment.md says."""
PACE_S = 0.2
"""Instead of the node's own pauses, which are tens of seconds."""


class Shop:
    """A new unit, with a seed on its card."""

    def __init__(self, folder: Path, town: EnrollingTown, port: int, number: int) -> None:
        self.folder, self.number = folder, number
        self.told: list[Standing] = []
        self.waits: list[float] = []
        folder.mkdir()
        (folder / SEED_FILE).write_bytes(encode_seed(town.seed(port, number)))

    def claim(self, gate: threading.Barrier, over: threading.Event) -> int:
        """As the program does it, until it is armed or the time is over."""

        def wait(seconds: float) -> bool:
            self.waits.append(seconds)
            return over.wait(PACE_S)

        gate.wait()
        return enrol(self.folder / SEED_FILE, self.folder / "node.toml", "1.0", tell=self.told.append, wait=wait)

    @property
    def is_armed(self) -> bool:
        return bool(self.told) and self.told[-1].headline == "ARMED"

    def certificate(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificates((self.folder / name).read_bytes())[0]


class Street:
    """Fifty of them, one that was there before, and the service."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.town = EnrollingTown.found(folder / "ä town", enrolment_port=port)
        numbers = range(FIRST, FIRST + COUNT + 1)
        self.town.claim(*map(open_claim, numbers))
        self.before, *self.shops = [Shop(folder / f"shop-{number}", self.town, port, number) for number in numbers]
        self.gate = threading.Barrier(COUNT + 1)
        """Opens with whoever is the last."""
        self.over = threading.Event()

    def begin(self) -> None:
        """The first shop is armed alone. With it msgspec has seen each type: two threads must not be the first."""
        late = threading.Timer(WITHIN_S, self.over.set)
        late.start()
        assert STATUS_ARMED == self.before.claim(threading.Barrier(1), self.over), self.before.told[-1]
        late.cancel()

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """The fifty are ready, and go at once when the gate opens. At the end all are armed."""
        late = threading.Timer(WITHIN_S, self.over.set)
        late.start()
        try:
            with ThreadPoolExecutor(COUNT) as pool:
                done = [pool.submit(shop.claim, self.gate, self.over) for shop in self.shops]
                try:
                    yield
                except BaseException:
                    self.gate.abort()
                    self.over.set()
                    raise
            assert [STATUS_ARMED] * COUNT == [one.result() for one in done], [shop.told[-1] for shop in self.shops]
        finally:
            late.cancel()
            self.over.set()

    def check(self, more: int = 0) -> None:
        """Each has its own identity, made once, and the directory has all of them. The service has ended."""
        directory = open_directory(self.town.changed.read_bytes(), self.town.fleet.folder.authority_public())
        register = Register(self.town.folder / "state" / "register.sqlite3")
        made = [f"{int(one.serial, 16):x}" for one in register.certificates()]
        register.close()
        shops, serials = [self.before, *self.shops], set[str]()
        for shop in shops:
            config, node = load_config(shop.folder / "node.toml", "1.0"), NodeId(shop.number)
            assert ("", ()) == (config.link_problem, config.warnings), "certificate, key and directory are its own"
            assert f"Shop {shop.number}" == config.settings.premises == directory.senders[node].premises
            assert config.signing_key.public == directory.senders[node].key
            own, gallery = shop.certificate("client.pem"), shop.certificate("gallery.pem")
            assert f"CN=gallery-{shop.number:08x},O=node" == gallery.subject.rfc4514_string()
            serials |= {f"{one.serial_number:x}" for one in (own, gallery)}
        assert 2 * len(shops) == len(serials)
        assert serials <= set(made)
        assert 2 * (len(shops) + more) == len(made), "none was made twice"
        assert len(shops) + more == len([node for node in directory.senders if node >= FIRST])


def spent(*services: ServiceProcess) -> Counter[str]:
    """How often each node's claim was spent, as was told."""
    return Counter(fact["node"] for one in services for fact in tuple(one.facts) if fact["fact"] == "enrolled")


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Street:
    monkeypatch.setattr(asking, "WITHIN_S", DEADLINE_S)  # A service that is slow here has not gone.
    return Street(tmp_path)


def test_fifty_claims_at_once_give_fifty_identities(street: Street) -> None:
    """A guesser behind the same router does not hold them up. One unit asks twice, and another's card was copied."""
    twice, copied = NewUnit(FIRST + COUNT + 1), NewUnit(FIRST + COUNT + 2)
    street.town.claim(*street.town.claims(), open_claim(twice.number), open_claim(copied.number))
    with running_service(street.town, PATIENT) as service, ThreadPoolExecutor(4) as pool:
        street.begin()
        for _ in range(FREE_FAILURES):
            assert "unknown claim" == service.ask(NewUnit(0x4242).sealed())[1]["problem"]
        assert "slow down" == service.ask(NewUnit(0x4242).sealed())[1]["problem"]
        with street.claiming():
            street.gate.wait()
            same = [pool.submit(service.ask, twice.sealed()) for _ in range(2)]
            cards = [pool.submit(service.ask, one.sealed()) for one in (copied, NewUnit(copied.number))]
        (one, given), (other, again) = (done.result() for done in same)
        assert (200, 200) == (one, other)
        assert given["certificate"] == again["certificate"]
        assert 1 == [done.result()[0] for done in cards].count(200), "of two cards with one code"
        assert "used" == service.ask(NewUnit(copied.number).sealed())[1]["problem"]
        service.end()
    assert [] == [wait for shop in street.shops for wait in shop.waits]
    assert {1} == set(spent(service).values())
    assert "TWO UNITS FOR ONE IDENTITY" in service.log.read_text()
    street.check(more=2)


def told(street: Street, line: str) -> bool:
    return any(one.lines[0] == line for shop in street.shops for one in tuple(shop.told))


@contextmanager
def crowd(service: ServiceProcess, units: Sequence[NewUnit]) -> Iterator[set[int]]:
    """Others have their answers repeated, as often as they may, which uses up what is looked at in a second.

    It has begun to be refused. Yields who was enrolled, complete at the end.
    """
    enrolled, is_refused, is_over = set[int](), threading.Event(), threading.Event()

    def ask(unit: NewUnit) -> None:
        body, answers = unit.sealed(), 0
        while answers < FREE_FAILURES and not is_over.is_set():
            status, answer = service.ask(body)
            if answer.get("problem") == "slow down":
                is_refused.set()
            else:
                assert 200 == status, answer
                enrolled.add(unit.number)
                answers += 1

    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(ask, unit) for unit in units]
        try:
            assert is_refused.wait(DEADLINE_S)
            yield enrolled
        finally:
            is_over.set()
    assert [None] * len(units) == [one.result() for one in asking]


def test_shops_wait_for_a_busy_service_and_go_on_by_themselves_after_it_was_killed(street: Street) -> None:
    others = [NewUnit(FIRST + COUNT + 1 + number) for number in range(OTHERS)]
    street.town.claim(*street.town.claims(), *(open_claim(unit.number) for unit in others))
    with running_service(street.town, SLOW) as service:
        street.begin()
        with street.claiming():
            with crowd(service, others) as enrolled:
                street.gate.wait()
                wait_until(lambda: told(street, "Town is busy"), "a shop is told to wait")
            wait_until(lambda: len(spent(service)) >= len(enrolled) + COUNT // 5, "some are enrolled")
            service.end(at_once=True)
            wait_until(lambda: told(street, "Town doesn't answer"), "a shop finds nobody")
            with running_service(street.town, PATIENT) as again:
                wait_until(lambda: all(shop.is_armed for shop in street.shops), "all are armed", WITHIN_S)
                again.end()
    assert {1} == set(spent(service, again).values())
    street.check(more=len(enrolled))
