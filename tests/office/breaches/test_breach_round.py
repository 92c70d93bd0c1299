"""One report all the way: card, real machine port over TLS, the office's tables, a person who acts, and back again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.core import events as ev
from gallery.core.staff import StaffTold
from office.accounts.access import rights_of
from office.breaches.acts import add_action
from office.breaches.desk import TOLD_WITHIN_S, BreachDesk
from office.breaches.models import Breach
from office.members.models import Premises
from office.publisher import changes
from tests.office.exclusions.conftest import Town
from tests.support.asking_town import HART, SHOP, AskingTown, Entry, PortThread, port_thread
from tests.support.gallery_card import all_bytes
from tests.support.gallery_online import OnlineNode, office_of

ID = "ab" * 16
ALICE = 7


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PortThread]:
    folder = tmp_path / "town"
    folder.mkdir()
    with port_thread(AskingTown(folder)) as port:
        yield port


@pytest.fixture
def node(tmp_path: Path, port: PortThread) -> Iterator[OnlineNode]:
    node = OnlineNode(tmp_path / "gallery", office_of(port.town, port.port))
    yield node
    node.end()


def sign_in(node: OnlineNode) -> str:
    """Alice gives her start code and chooses a PIN; returns the session."""
    now_s = int(time.time())
    staff = (StaffTold(ALICE, "Alice Alder", 1, "check"),)
    node.happen(ev.OfficeAnswered(node.now_ms, now_s, now_s + 9_000, (ev.SchemeTold(HART),), staff=staff))
    node.happen(ev.SignInAsked("session", ALICE, ev.Pin("999999"), is_start_code=True))
    node.happen(ev.SecretChecked("session", is_right=True))
    node.happen(ev.PinChosen("session", ev.Pin("271828")))
    assert "session" in node.state.sessions
    return "session"


def shown(node: OnlineNode) -> list[tuple[str, str]]:
    return [(one.state, one.words) for one in node.state.book.outcomes.reports]


def test_report_reaches_the_office_once_and_its_outcome_the_shop(
    town: Town, tmp_path: Path, port: PortThread, node: OnlineNode
) -> None:
    case = town.case("served")
    Premises.objects.filter(pk=1).exists() or Premises.objects.create(pk=1, member=town.members[0], name="Corner Shop")
    Premises.objects.get(pk=1).schemes.add(town.hart)
    number = port.publish(HART, [Entry(case.number)])
    node.start()
    node.until(lambda: node.has(HART, number))
    reference = case.individual.reference
    node.happen(ev.ReportAsked("r", sign_in(node), HART, case.number, reference, "breach", "no", ID))
    node.happen(ev.ReportAlerted(ID, "00000010-7"))
    node.until(lambda: ["sent"] == [row.state for row in node.state.book_disk.rows])

    clock_s = [0.0]
    snapshots = port.town.folder / "snapshots"
    nodes_file = port.town.folder / "nodes/nodes.toml"
    desk = BreachDesk(nodes_file, snapshots, changes.mark, lambda _new: None, clock_s=lambda: clock_s[0])
    for _ in range(2):
        clock_s[0] += TOLD_WITHIN_S
        desk.look()
    breach = Breach.objects.get()
    node.until(lambda: [("received", "The co-ordinator and the police have your report.")] == shown(node))

    add_action(
        town.cora, rights_of(town.cora), breach, "police-informed", version=1, crime_reference="26*1", closes=True
    )
    # What is changed here is changed by this connection: another's would be seen by the mark.
    desk = BreachDesk(nodes_file, snapshots, changes.mark, lambda _new: None)
    desk.look()
    node.until(lambda: [("closed", "The police were informed.")] == shown(node))
    node.until(lambda: node.state.book == node.state.book_disk)

    assert (SHOP, case, ALICE, "00000010-7", "no") == (
        breach.node,
        breach.case,
        breach.staff,
        breach.incident,
        breach.left,
    )
    name = case.individual.name.encode()
    assert name, "there is one to look for"
    assert [] == [path for path in (tmp_path / "gallery", snapshots, nodes_file.parent) if name in all_bytes(path)]
