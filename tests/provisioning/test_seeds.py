"""Seeds: what is written to a card, for whom, and what is refused before the label is made worthless."""

from __future__ import annotations

import json
import re
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from provisioning.claims import MadeClaim, claim_again, reserve
from provisioning.cli import main
from provisioning.enrolment import open_enrolment
from provisioning.errors import FleetDamagedError, FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.issuer_changes import new_root
from provisioning.office import issue_office_certificate
from provisioning.seeds import check_code, enrolment_address
from tests.provisioning.conftest import Clock
from wire.claim_code import claim_hash
from wire.seed import SEED_FILE, EnrolmentAddress, OfficeAddress, Seed, WiFi, decode_seed

OF_THE_BROKER = {"--broker-pid-file FILE", "--reload-command COMMAND", "--deadline SECONDS"}
HOST = "enrol.watch.town.gov.uk"


@pytest.fixture
def card(tmp_path: Path) -> Path:
    folder = tmp_path / "card"
    folder.mkdir()
    return folder


@pytest.fixture
def shop(fleet: Fleet) -> MadeClaim:
    """A shop that waits for its claim, in a town with an enrolment service, and a pub."""
    made = reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"]), NewNode("The Anchor", "Quay", ["pubwatch"])])
    open_enrolment(fleet.folder, [HOST, "192.0.2.7"], port=9443)
    return made[0]


def seed(fleet: Fleet, card: Path, *more: str, node: str = "00000010") -> int:
    return main(["seed", "--dir", str(fleet.layout.town), node, "--to", str(card), *more])


def code_file(card: Path, code: str) -> str:
    file = card.parent / "code.txt"
    file.write_text(code)
    return str(file)


def written(card: Path) -> Seed:
    return decode_seed((card / SEED_FILE).read_bytes())


def answer(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """These are typed at a terminal; returns the questions."""
    questions: list[str] = []
    left = iter(answers)

    def typed(question: str) -> str:
        questions.append(question)
        return next(left)

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", typed)
    monkeypatch.setattr("provisioning.seed_commands.getpass", typed)
    return questions


def test_seed_has_what_a_unit_needs_to_claim_and_to_know_its_town(fleet: Fleet, shop: MadeClaim, card: Path) -> None:
    assert 0 == seed(fleet, card, "--code-file", code_file(card, shop.code))

    root = x509.load_pem_x509_certificate((fleet.layout.authority / "root-1.pem").read_bytes())
    assert Seed(
        node="00000010",
        claim=shop.code,
        enrolment=EnrolmentAddress(host=HOST, port=9443),
        ca_sha256=(root.fingerprint(hashes.SHA256()).hex(),),
        authority=(fleet.layout.authority / "authority.pub").read_text().strip(),
    ) == written(card)


@pytest.mark.parametrize(
    ("more", "office"),
    [
        ((), OfficeAddress(host="office.town.gov.uk")),
        (("--office", "[2001:db8::7]:9444"), OfficeAddress(host="2001:db8::7", port=9444)),
    ],
)
def test_seed_names_the_office_that_the_unit_asks(
    fleet: Fleet, shop: MadeClaim, card: Path, more: tuple[str, ...], office: OfficeAddress
) -> None:
    issue_office_certificate(fleet.folder, "office.town.gov.uk")
    assert 0 == seed(fleet, card, "--code-file", code_file(card, shop.code), *more)

    assert office == written(card).office


def test_seed_of_a_town_without_an_office_says_so(
    fleet: Fleet, shop: MadeClaim, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == seed(fleet, card, "--code-file", code_file(card, shop.code))

    assert None is written(card).office
    assert "that unit will have no gallery" in capsys.readouterr().out


def test_seed_is_for_its_owner_alone_and_leaves_nothing_beside_it(fleet: Fleet, shop: MadeClaim, card: Path) -> None:
    (card / f".{SEED_FILE}.new").write_text("left over")
    assert 0 == seed(fleet, card, "--code-file", code_file(card, shop.code))

    assert [SEED_FILE] == [path.name for path in card.iterdir()]
    assert 0o600 == stat.S_IMODE((card / SEED_FILE).stat().st_mode)


def test_code_is_asked_for_as_the_label_says_it(
    fleet: Fleet, shop: MadeClaim, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = answer(monkeypatch, shop.code.lower().replace("-", " "))

    assert 0 == seed(fleet, card)

    assert ["Claim code on the label of Corner Shop: "] == questions
    assert shop.code == written(card).claim


def test_script_without_a_terminal_is_told_what_to_give(
    fleet: Fleet, shop: MadeClaim, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == seed(fleet, card)
    assert "give --code-file, or --new-code" in capsys.readouterr().err
    assert 2 == seed(fleet, card, "--wifi", "--code-file", code_file(card, shop.code))
    assert "give --wifi-file" in capsys.readouterr().err
    assert [] == list(card.iterdir())


def test_new_code_ends_the_label(fleet: Fleet, shop: MadeClaim, card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == seed(fleet, card, "--new-code")

    code = written(card).claim
    assert code != shop.code
    assert claim_hash(code) == Fleet.open(fleet.layout.town).record.claims[0].claim_hash
    said = capsys.readouterr().out
    assert "destroy its label" in said
    assert code not in said


def test_code_of_another_premises_is_refused_by_name(fleet: Fleet, shop: MadeClaim) -> None:
    pub = fleet.record.claims[1]

    with pytest.raises(FleetInputError, match=r"This is the code of 00000010 \(Corner Shop\), not of 00000011\."):
        check_code(fleet.record, pub, shop.code)


def test_code_of_an_old_label_is_refused(fleet: Fleet, shop: MadeClaim) -> None:
    claim_again(fleet, "00000010")

    with pytest.raises(FleetInputError, match="opens nothing: the label is an old one, or of another town"):
        check_code(fleet.record, fleet.record.claims[0], shop.code)


def test_typo_in_the_code_is_told_with_its_group(fleet: Fleet, shop: MadeClaim) -> None:
    with pytest.raises(FleetInputError, match=r"Group 2 of the claim code cannot be right"):
        check_code(fleet.record, shop.claim, "-".join([shop.code[:4], "UUUU", shop.code[10:]]))


def test_ended_claim_gets_no_seed(
    fleet: Fleet, shop: MadeClaim, clock: Clock, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = claim_again(fleet, "00000010")
    clock.pass_by(timedelta(days=15))

    assert 2 == seed(fleet, card, "--code-file", code_file(card, old.code))
    assert "(Corner Shop) ended on 2027-03-15: give --new-code." in capsys.readouterr().err
    assert [] == list(card.iterdir())


@pytest.mark.parametrize("more", [["--to", "nowhere"], ["--enrolment", "bad host"], ["--wifi-file", "wifi.toml"]])
def test_label_stays_good_if_no_seed_can_be_written(
    fleet: Fleet, shop: MadeClaim, card: Path, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    monkeypatch.chdir(card.parent)
    Path("wifi.toml").write_text('name = "Shop"\npassword = "short"\n')

    assert 2 == seed(fleet, card, "--new-code", *more)

    assert shop.claim == Fleet.open(fleet.layout.town).record.claims[0]


def test_wifi_comes_from_a_file(fleet: Fleet, shop: MadeClaim, card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wifi = card.parent / "wifi.toml"
    wifi.write_text('name = "Shop – staff"\npassword = "correct horse"\n')

    assert 0 == seed(fleet, card, "--code-file", code_file(card, shop.code), "--wifi-file", str(wifi))

    assert WiFi(name="Shop – staff", password="correct horse") == written(card).wifi
    said = capsys.readouterr().out
    assert "The password of the Wi-Fi Shop – staff is in it too." in said
    assert "correct horse" not in said


def test_wifi_is_asked_for(fleet: Fleet, shop: MadeClaim, card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = answer(monkeypatch, "Shop", "correct horse", shop.code)

    assert 0 == seed(fleet, card, "--wifi")

    assert ["Name of the Wi-Fi: ", "Its password (not shown): "] == questions[:2]
    assert WiFi(name="Shop", password="correct horse") == written(card).wifi


def test_wifi_file_with_a_mistake_says_what_it_needs(
    fleet: Fleet, shop: MadeClaim, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wifi = card.parent / "wifi.toml"
    wifi.write_text('ssid = "Shop"\n')

    assert 2 == seed(fleet, card, "--wifi-file", str(wifi), "--code-file", code_file(card, shop.code))
    assert "It needs two lines" in capsys.readouterr().err


def test_card_with_another_units_seed_is_not_overwritten(
    fleet: Fleet, shop: MadeClaim, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == seed(fleet, card, "--new-code", node="00000011")
    capsys.readouterr()

    assert 2 == seed(fleet, card, "--code-file", code_file(card, shop.code))
    assert "the seed of 00000011 is there. Take another card, or delete it first." in capsys.readouterr().err
    assert "00000011" == written(card).node


def test_card_that_is_not_mounted_is_told(
    fleet: Fleet, shop: MadeClaim, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == seed(fleet, card / "nowhere", "--code-file", code_file(card, shop.code))
    assert "is the card in, and mounted?" in capsys.readouterr().err


def test_town_without_an_enrolment_service_is_told_how_to_make_one(fleet: Fleet) -> None:
    with pytest.raises(FleetInputError, match="'watchlink fleet enrolment --host HOST'"):
        enrolment_address(fleet.folder)


def test_damaged_folder_of_the_service_is_told(fleet: Fleet, shop: MadeClaim) -> None:
    (fleet.layout.enrolment / "server.pem").write_text("")

    with pytest.raises(FleetDamagedError, match="does not say where the enrolment service is"):
        enrolment_address(fleet.folder)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("enrol.town", "enrol.town", 8443),
        ("192.0.2.7:9443", "192.0.2.7", 9443),
        ("[2001:db8::7]", "2001:db8::7", 8443),
        ("[2001:db8::7]:9443", "2001:db8::7", 9443),
    ],
)
def test_enrolment_address_is_read_as_people_write_it(fleet: Fleet, text: str, host: str, port: int) -> None:
    assert EnrolmentAddress(host=host, port=port) == enrolment_address(fleet.folder, text)


@pytest.mark.parametrize("text", ["enrol:", "enrol:0", "enrol:70000", "enrol:x", "2001:db8::7"])
def test_other_enrolment_addresses_are_refused(fleet: Fleet, text: str) -> None:
    with pytest.raises(FleetInputError, match="write"):
        enrolment_address(fleet.folder, text)


def test_seed_pins_the_roots_of_both_generations(fleet: Fleet, shop: MadeClaim, card: Path) -> None:
    """While a town moves to a new root, its service may still have a certificate of the old one."""
    fleet.add("Bakery", "", ["hart"])
    new_root(fleet.folder, is_replacement=True)

    assert 0 == seed(fleet, card, "--code-file", code_file(card, shop.code))

    assert 2 == len(written(card).ca_sha256)


def test_no_option_takes_a_code_or_a_password(capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody on the machine sees a command's arguments."""
    with pytest.raises(SystemExit):
        main(["seed", "--help"])

    usage = capsys.readouterr().out.partition("\n\n")[0]
    taking = set(re.findall(r"--[a-z-]+ [A-Z]+", " ".join(usage.split())))
    assert {
        "--dir TOWN",
        "--to FOLDER",
        "--code-file FILE",
        "--wifi-file FILE",
        "--enrolment HOST",
        "--office HOST",
    } == {one for one in taking if one not in OF_THE_BROKER}


def test_card_that_knows_no_modes_is_written(
    fleet: Fleet, shop: MadeClaim, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT refuses to set one."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    file = code_file(card, shop.code)
    monkeypatch.setattr("os.fchmod", refuse)
    monkeypatch.setattr("os.chmod", refuse)

    assert 0 == seed(fleet, card, "--code-file", file)
    assert shop.code == written(card).claim


def test_seed_is_json_that_people_can_read(fleet: Fleet, shop: MadeClaim, card: Path) -> None:
    assert 0 == seed(fleet, card, "--new-code")

    assert "00000010" == json.loads((card / SEED_FILE).read_text())["node"]
