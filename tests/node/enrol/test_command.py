"""From a seed to a node, whatever happens in between."""

from __future__ import annotations

import socket
import threading
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import runtime.atomic
from gallery.config import PageTable, load_configuration
from node.config import load_config
from node.enrol import command
from node.enrol.command import STATUS_ARMED, STATUS_NOT_ARMED
from node.enrol.placing import GALLERY_SOCKET, GALLERY_STATE, GALLERY_USER
from tests.node.enrol.conftest import Unit, new_unit
from tests.support.enrolling_town import EnrollingTown, code_of, open_claim
from tests.support.enrolment_thread import ServiceThread, service_thread
from wire.claim_code import claim_hash
from wire.ids import parse_node
from wire.seed import EnrolmentAddress, OfficeAddress

PRIVATE = {"client.key", "gallery.key", "signing.key", "sealing.key"}
PUBLIC = {"ca.pem", "client.pem", "gallery.pem", "authority.pub", "directory.json", "node.toml"}


class Cut(BaseException):
    """The power goes."""


def test_unit_is_armed_and_the_seed_is_gone(unit: Unit) -> None:
    assert STATUS_ARMED == unit.enrol()

    assert PRIVATE | PUBLIC == set(unit.files())
    assert {0o600} == {(unit.folder / name).stat().st_mode & 0o777 for name in PRIVATE}
    assert not unit.staging.exists()
    config = load_config(unit.config, "1.0")
    assert ("", ()) == (config.link_problem, config.warnings)
    assert ["CLAIMING", "ARMED"] == [one.headline for one in unit.told]


def test_seed_that_names_an_office_brings_a_gallery(unit: Unit) -> None:
    unit.put_seed(replace(unit.seed, office=OfficeAddress(host="office.example")))
    unit.enrol()
    config = load_configuration(unit.folder / "gallery.toml")

    assert ("office.example", 8444) == (config.file.office.host, config.file.office.port)
    assert unit.seed.node == config.file.identity.node
    assert (GALLERY_STATE, GALLERY_SOCKET) == (str(config.state_dir), config.file.node.socket)
    assert PageTable() == config.file.page, "systemd opens the ports for tablets"
    assert {"gallery.pem", "gallery.key", "sealing.key"} <= unit.files().keys()
    heard = tomllib.loads(unit.config.read_text(encoding="utf-8"))["gallery"]
    assert {"socket": GALLERY_SOCKET, "user": GALLERY_USER} == heard, "the node hears it, and nobody else"


def test_armed_unit_without_a_seed_has_nothing_to_do(unit: Unit) -> None:
    unit.enrol()
    before = unit.files()

    assert STATUS_ARMED == unit.enrol()
    assert before == unit.files()


def cut_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> list[str]:
    """The power goes before the next step on the disk. Returns the steps that were done."""
    done: list[str] = []

    def counted(what: str, step: Any) -> Any:  # noqa: ANN401 - whatever it is
        def run(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401
            # The unit's power, not that of the service on its own thread.
            if threading.current_thread() is not threading.main_thread():
                return step(*arguments, **more)
            if len(done) >= steps:
                raise Cut
            done.append(what)
            return step(*arguments, **more)

        return run

    monkeypatch.setattr(runtime.atomic, "put_in_place", counted("put", runtime.atomic.put_in_place))
    monkeypatch.setattr(Path, "unlink", counted("unlink", Path.unlink))
    monkeypatch.setattr(Path, "rmdir", counted("rmdir", Path.rmdir))
    monkeypatch.setattr(Path, "mkdir", counted("mkdir", Path.mkdir))
    return done


@pytest.mark.one_python
def test_power_cut_at_each_step_ends_in_the_same_node(
    tmp_path: Path, service: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, is_over = 0, False
    while not is_over:
        unit = new_unit(tmp_path / f"unit-{steps}", service)
        with monkeypatch.context() as power:
            cut_after(power, steps)
            try:
                unit.enrol()
                is_over = True
            except Cut:
                steps += 1
        before = unit.files()
        assert STATUS_ARMED == unit.enrol(), (steps, unit.told)
        after = unit.files()
        assert PRIVATE | PUBLIC == set(after), steps
        assert not unit.staging.exists()
        # A node that could start was one already.
        if "node.toml" in before:
            assert all(after[name] == before[name] for name in PRIVATE | PUBLIC)
        assert 1 == len([fact for fact in service.facts("enrolled") if fact["node"] == unit.seed.node]), steps

    assert steps > len(PRIVATE) + 2 * len(PUBLIC)


def test_unit_waits_for_a_network_and_says_so(unit: Unit) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        unit.put_seed(
            msgspec.structs.replace(
                unit.seed, enrolment=EnrolmentAddress(host="127.0.0.1", port=taken.getsockname()[1])
            )
        )

        assert STATUS_NOT_ARMED == unit.enrol()
    assert "no enrolment service answers" in unit.told[-1].sentence
    unit.put_seed(msgspec.structs.replace(unit.seed, enrolment=EnrolmentAddress(host="no-such.invalid")))

    assert STATUS_NOT_ARMED == unit.enrol()
    assert unit.told[-1].sentence.startswith("Waiting for the network: the name no-such.invalid is not known here")
    assert max(unit.waits) < 60
    assert not unit.config.exists()


def test_another_town_is_not_told_the_code(unit: Unit, service: ServiceThread, tmp_path: Path) -> None:
    other = EnrollingTown.found(tmp_path / "other")
    with service_thread(other) as wrong:
        unit.put_seed(msgspec.structs.replace(unit.seed, enrolment=EnrolmentAddress(host="127.0.0.1", port=wrong.port)))
        assert STATUS_NOT_ARMED == unit.enrol()

        assert "not the town that this card is for" in unit.told[-1].sentence
        assert [] == wrong.facts("claim refused")
    unit.put_seed()
    assert STATUS_ARMED == unit.enrol()


def test_service_that_hands_out_the_right_root_with_another_certificate_is_not_believed(
    unit: Unit, service: ServiceThread, tmp_path: Path
) -> None:
    """Somebody in between can copy the root, which is no secret, but not prove to be below it."""
    other = EnrollingTown.found(tmp_path / "other")
    (other.folder / "ca.pem").write_bytes((service.town.folder / "ca.pem").read_bytes())
    with service_thread(other) as wrong:
        unit.put_seed(msgspec.structs.replace(unit.seed, enrolment=EnrolmentAddress(host="127.0.0.1", port=wrong.port)))

        assert STATUS_NOT_ARMED == unit.enrol()
        assert "is from another CA" in unit.told[-1].sentence
        assert [] == wrong.facts("claim refused")


def test_second_card_with_the_same_seed_is_told_whom_to_call(
    unit: Unit, service: ServiceThread, tmp_path: Path
) -> None:
    second = Unit(tmp_path / "second", unit.seed)
    second.folder.mkdir()
    second.put_seed()
    unit.enrol()

    assert STATUS_NOT_ARMED == second.enrol()
    assert "one of two cards is a copy. Call the fleet's engineer." in second.told[-1].sentence
    assert ("NO CLAIM", ("Code used already", "Call the engineer")) == (second.told[-1].headline, second.told[-1].lines)
    assert not second.config.exists()
    assert second.seed_file.exists()


def test_new_code_for_the_same_unit_finishes_what_was_lost(
    unit: Unit, service: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer was lost, and somebody made it another seed."""
    with monkeypatch.context() as power:
        cut_after(power, 8)
        with pytest.raises(Cut):
            unit.enrol()
    assert not unit.config.exists()
    number = int(unit.seed.node, 16)
    again = msgspec.structs.replace(open_claim(number), claim_hash=claim_hash(code_of(number + 1_000)))
    service.town.claim(*(again if one.node == again.node else one for one in service.town.claims()))
    unit.put_seed(msgspec.structs.replace(unit.seed, claim=code_of(number + 1_000)))

    assert STATUS_ARMED == unit.enrol()


def test_hardware_that_only_a_newer_program_knows_leaves_the_seed_for_it(unit: Unit, service: ServiceThread) -> None:
    """Armed with it, the unit could not start, and nothing on its panel would say why."""
    claims = {one.node: one for one in service.town.claims()}
    own = claims[unit.seed.node]
    service.town.claim(*(claims | {own.node: msgspec.structs.replace(own, profile="ssd9999")}).values())

    assert STATUS_NOT_ARMED == unit.enrol()
    assert "does not know the hardware profile 'ssd9999'" in unit.told[-1].sentence
    assert ("Update this unit", "Call the engineer") == unit.told[-1].lines
    assert unit.seed_file.exists()
    assert not unit.config.exists()


def test_unit_that_is_a_node_becomes_no_other(unit: Unit, service: ServiceThread) -> None:
    unit.enrol()
    before = unit.files()
    unit.put_seed(service.town.seed(service.port, int(unit.seed.node, 16) + 100))

    assert STATUS_ARMED == unit.enrol()
    assert f"This unit is node {unit.seed.node} already" in unit.told[-1].sentence
    assert before == {name: data for name, data in unit.files().items() if name in before}


def test_seed_that_cannot_be_used_keeps_no_node_from_starting(unit: Unit) -> None:
    """The service manager waits for this before it starts the node: nobody could press."""
    unit.enrol()
    unit.seed_file.write_bytes(b"{")

    assert STATUS_ARMED == unit.enrol()
    assert "The seed cannot be read" in unit.told[-1].sentence
    assert [] == unit.waits


def test_seed_that_cannot_be_deleted_keeps_no_node_from_starting(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    unit.enrol()
    unit.put_seed()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as card:
        card.setattr(Path, "unlink", refuse)
        assert STATUS_ARMED == unit.enrol()

    assert "Read-only file system" in unit.told[-1].sentence
    assert [] == unit.waits


@pytest.mark.parametrize(
    ("data", "words"),
    [(None, "There is no seed"), (b"{", "cannot be read"), (b"{}", "lacks node")],
    ids=["missing", "cut off", "empty"],
)
def test_bad_seed_is_told_in_words(unit: Unit, data: bytes | None, words: str) -> None:
    if data is None:
        unit.seed_file.unlink()
    else:
        unit.seed_file.write_bytes(data)

    assert STATUS_NOT_ARMED == unit.enrol()
    assert words in unit.told[-1].sentence
    assert unit.told[-1].sentence.endswith("Call the fleet's engineer.")


def test_unit_without_a_seed_says_what_was_found_wrong_with_its_card(
    unit: Unit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its data cannot be read, so it does not know who it is, and looks like a new one."""
    told = tmp_path / "card.txt"
    told.write_text("The card's data cannot be read.\n")
    monkeypatch.setattr(command, "CARD_FILE", str(told))
    unit.seed_file.unlink()

    assert STATUS_NOT_ARMED == unit.enrol()
    assert "The card's data cannot be read. Call the fleet's engineer." == unit.told[-1].sentence
    assert "Card out of order" == unit.told[-1].lines[0]


def test_typing_error_in_the_seed_is_told_with_its_group(unit: Unit) -> None:
    code = unit.seed.claim
    typo = code.replace(code[:4], ("1" if code[0] != "1" else "2") + code[1:4], 1)
    unit.seed_file.write_bytes(unit.seed_file.read_bytes().replace(code.encode(), typo.encode()))

    assert STATUS_NOT_ARMED == unit.enrol()
    assert "Group 1 of the claim code cannot be right" in unit.told[-1].sentence


def test_full_card_is_told_and_finished_later(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    for steps in range(0, 20, 3):
        with monkeypatch.context() as card:

            def refuse(*_: object, steps: int = steps) -> None:
                raise OSError(28, f"No space left on device ({steps})")

            card.setattr(runtime.atomic, "put_in_place", refuse)
            assert STATUS_NOT_ARMED == unit.enrol()
            assert "card cannot be written or read" in unit.told[-1].sentence

    assert STATUS_ARMED == unit.enrol()


def test_node_is_known_by_the_key_it_made(unit: Unit) -> None:
    unit.enrol()
    config = load_config(unit.config, "1.0")

    assert config.signing_key.public == config.directory.senders[parse_node(unit.seed.node)].key
