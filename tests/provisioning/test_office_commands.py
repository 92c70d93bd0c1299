"""The commands about office and pages as they are typed: what they ask, what they say, what they end with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from office.config import load_configuration
from provisioning.cli import main
from provisioning.fleet import Fleet
from provisioning.office import change_keys
from runtime.tls import server_context
from tests.support.fleet_office import Office
from wire.fingerprints import key_fingerprint
from wire.signing import SigningKey
from wire.snapshots import PremisesEntry

SHOP = PremisesEntry(premises=5, name="Corner Shop", place="High St", schemes=(1,))
PUB = PremisesEntry(premises=8, name="The Anchor", place="Quay", schemes=(1, 2))


@pytest.fixture
def town(fleet: Fleet) -> str:
    return str(fleet.layout.town)


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    """Sit at a terminal and answer every question so; the questions."""
    asked: list[str] = []

    def answered(question: str) -> str:
        asked.append(question)
        return text

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", answered)
    return asked


def test_trust_office_asks_for_the_fingerprint_to_be_compared(
    town: str, office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fingerprint = key_fingerprint(office.key.public.raw)
    asked = answer(monkeypatch, "n")

    assert 2 == main(["trust-office", "--dir", town, str(office.public_file)])
    assert fingerprint in asked[0]
    assert "Nothing was changed." in capsys.readouterr().err
    answer(monkeypatch, "y")
    assert 0 == main(["trust-office", "--dir", town, str(office.public_file)])

    said = capsys.readouterr().out
    assert f"The office's key {fingerprint} is trusted" in said
    assert "The directory has serial 2. Copy " in said
    assert [office.key.public] == [key.public for key in Fleet.open(Path(town)).record.office.trusted]


def test_trust_office_without_a_terminal_wants_a_yes(
    town: str, office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main(["trust-office", "--dir", town, str(office.public_file)])
    assert "give --yes" in capsys.readouterr().err
    assert 0 == main(["trust-office", "--dir", town, str(office.public_file), "--yes"])
    assert 0 == main(["trust-office", "--dir", town, str(office.public_file)]), "it is trusted: nothing to ask"


def test_trust_office_says_that_a_key_was_struck_before(
    town: str, trusted: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == main(["trust-office", "--dir", town, "--strike", key_fingerprint(trusted.key.public.raw)])
    said = capsys.readouterr().out
    assert "is struck: nothing that is signed by it is believed" in said
    assert "No key of the office is left" in said
    asked = answer(monkeypatch, "")

    assert 2 == main(["trust-office", "--dir", town, str(trusted.public_file)])

    assert "It was STRUCK on " in asked[0]


def test_trust_office_with_nothing_to_do_says_what_it_needs(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["trust-office", "--dir", town])
    assert "--strike" in capsys.readouterr().err


def test_proposals_are_those_without_a_node_and_hint_at_a_node_of_that_name(
    town: str, trusted: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    trusted.publish(3, SHOP, PUB)
    main(["add", "--with-keys", "--dir", town, "--premises", "corner shop", "--scheme", "hart"])
    capsys.readouterr()

    assert 0 == main(["proposals", "--dir", town, "--snapshot", str(trusted.folder)])

    assert capsys.readouterr().out.splitlines() == [
        "    5  Corner Shop, High St  [hart]",
        "       Node 00000010 has this name: 'watchlink fleet link 00000010 --proposal 5' joins them.",
        "    8  The Anchor, Quay  [hart pubwatch]",
        "2 of 2 premises have no node (snapshot 3).",
    ]
    assert 0 == main(["link", "--dir", town, "00000010", "--proposal", "5", "--snapshot", str(trusted.folder)])
    capsys.readouterr()
    assert 0 == main(["proposals", "--dir", town, "--snapshot", str(trusted.folder), "--json"])
    assert [(8, "The Anchor")] == [(row["premises"], row["name"]) for row in json.loads(capsys.readouterr().out)]


def test_snapshots_are_looked_for_in_the_fleets_own_office_folder(
    town: str, fleet: Fleet, trusted: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main(["proposals", "--dir", town])
    assert "office/snapshots" in capsys.readouterr().err
    trusted.folder = fleet.layout.snapshots
    trusted.folder.mkdir(parents=True)
    trusted.publish(3, SHOP)

    assert 0 == main(["proposals", "--dir", town])


def test_add_takes_name_place_and_schemes_over_from_the_office(
    town: str, trusted: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = str(trusted.publish(3, SHOP, PUB))

    assert 0 == main(
        ["add", "--with-keys", "--dir", town, "--proposal", "5", "--proposal", "8", "--snapshot", snapshot]
    )

    said = capsys.readouterr().out
    assert "00000010 is Corner Shop. Carry" in said
    assert "00000011 is The Anchor. Carry" in said
    record = Fleet.open(Path(town)).record
    assert [("Corner Shop", "High St", (1,), 5), ("The Anchor", "Quay", (1, 2), 8)] == [
        (node.premises, node.place, node.schemes, node.office_premises) for node in record.nodes
    ]
    assert 3 == record.office.premises_number
    assert 'place = "Quay"' in (Path(town) / "nodes" / "00000011" / "node.toml").read_text()


@pytest.mark.parametrize("more", [["--premises", "A"], ["--place", "B"], ["--scheme", "hart"], ["--gateway"]])
def test_add_takes_either_the_offices_word_or_the_engineers(
    town: str, trusted: Office, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    snapshot = str(trusted.publish(3, SHOP))

    assert 2 == main(["add", "--with-keys", "--dir", town, "--proposal", "5", "--snapshot", snapshot, *more])
    assert "leave out" in capsys.readouterr().err
    assert () == Fleet.open(Path(town)).nodes


@pytest.mark.parametrize("given", [[], ["--premises", "Corner Shop"], ["--scheme", "hart"]])
def test_add_without_a_name_or_a_scheme_says_what_is_missing(
    town: str, capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    assert 2 == main(["add", "--with-keys", "--dir", town, *given])
    assert "--proposal" in capsys.readouterr().err


def test_add_asks_before_a_premises_gets_a_second_node_and_then_not_about_the_name(
    town: str, trusted: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = str(trusted.publish(3, SHOP))
    add = ["add", "--with-keys", "--dir", town, "--proposal", "5", "--snapshot", snapshot]
    assert 0 == main(add)
    assert 2 == main(add)
    assert "Premises 5 has a node already: 00000010 (Corner Shop) stands there." in capsys.readouterr().err
    asked = answer(monkeypatch, "no")
    assert 2 == main(add)
    answers = answer(monkeypatch, "y")

    assert 0 == main(add)

    assert ["another counter" in question for question in (*asked, *answers)] == [True, True]
    assert [5, 5] == [node.office_premises for node in Fleet.open(Path(town)).nodes]


def test_link_asks_before_a_second_node_too(town: str, trusted: Office, capsys: pytest.CaptureFixture[str]) -> None:
    snapshot = str(trusted.publish(3, SHOP))
    main(["add", "--with-keys", "--dir", town, "--proposal", "5", "--snapshot", snapshot])
    main(["add", "--with-keys", "--dir", town, "--premises", "Till 2", "--scheme", "hart"])
    link = ["link", "--dir", town, "00000011", "--proposal", "5", "--snapshot", snapshot]

    assert 2 == main(link)
    assert "give --yes" in capsys.readouterr().err
    assert 0 == main([*link, "--yes"])
    assert "stands in premises 5 of the office, Corner Shop" in capsys.readouterr().out
    assert 0 == main(["link", "--dir", town, "00000011", "--none"])
    assert [5, 0] == [node.office_premises for node in Fleet.open(Path(town)).nodes]


def test_list_shows_what_the_office_says_else_until_it_is_taken_over(
    town: str, trusted: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["add", "--with-keys", "--dir", town, "--proposal", "5", "--snapshot", str(trusted.publish(3, SHOP))])
    renamed = str(trusted.publish(4, PremisesEntry(premises=5, name="Patel's", place="High St", schemes=(1,))))
    capsys.readouterr()

    assert 0 == main(["list", "--dir", town, "--snapshot", renamed])
    said = capsys.readouterr().out
    assert "SCHEMES  OFFICE  CERTIFICATE UNTIL" in said
    assert "! 00000010 (Corner Shop) is Patel's, High St at the office" in said
    assert 0 == main(["link", "--dir", town, "00000010", "--refresh", "--snapshot", renamed])
    assert "node.toml" in capsys.readouterr().out

    assert 0 == main(["list", "--dir", town, "--snapshot", renamed])

    assert "at the office" not in capsys.readouterr().out


def test_struck_key_ends_what_was_signed_with_it(
    town: str, trusted: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = str(trusted.publish(3, SHOP))
    change_keys(trusted.fleet.folder, trust=SigningKey(b"n" * 32).public.raw)
    assert 0 == main(["trust-office", "--dir", town, "--strike", trusted.key.public.raw.hex()])

    assert 2 == main(["add", "--with-keys", "--dir", town, "--proposal", "5", "--snapshot", snapshot])

    assert "not signed by an office that this fleet trusts" in capsys.readouterr().err


def test_office_certificate_says_where_it_belongs_and_how_it_is_renewed(
    town: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == main(["office-certificate", "--dir", town, "--host", "192.0.2.7"])
    said = capsys.readouterr().out
    assert f"for 192.0.2.7 in {town}/office/publisher" in said
    assert "'watchlink fleet renew office'" in said

    assert 0 == main(["renew", "--dir", town, "office"])

    assert "restart its publisher" in capsys.readouterr().out


def test_office_takes_the_certificate_as_the_command_names_it(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The office's own reader."""
    main(["office-certificate", "--dir", town])
    table = capsys.readouterr().out.partition("[publisher]")[2]
    toml = Path(town) / "office" / "office.toml"
    toml.write_text(f'authority_file = "authority.pub"\ndirectory_file = "../directory.json"\n[publisher]{table}')

    configuration = load_configuration(toml)

    publisher = configuration.publisher
    files = [configuration.path(name) for name in (publisher.certificate_file, publisher.key_file)]
    server_context(*files, clients_ca_file=configuration.path(publisher.clients_ca_file))
    assert configuration.directory_file.exists()


def test_web_ca_says_what_to_install_and_by_which_fingerprint_to_know_it(
    town: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == main(["web-ca", "--dir", town, "--domain", "watch.example.org"])
    said = capsys.readouterr().out
    web = Fleet.open(Path(town)).record.web
    assert web is not None
    assert f"{town}/authority/web-ca.pem is the web CA for watch.example.org" in said
    assert ":".join(web.fingerprint[at : at + 2].upper() for at in range(0, 64, 2)) in said
    out = str(tmp_path / "out")

    assert 0 == main(["web-certificate", "--dir", town, "central.watch.example.org", "--out", out])
    assert "valid for central.watch.example.org until" in capsys.readouterr().out
    assert 2 == main(["web-certificate", "--dir", town, "bank.example.com", "--out", out])
    assert "browsers would refuse" in capsys.readouterr().err
