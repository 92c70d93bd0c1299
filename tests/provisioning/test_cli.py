"""The commands as they are typed: what they say, and what they end with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from provisioning.cli import main
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet


@pytest.fixture
def town(tmp_path: Path) -> str:
    town = str(tmp_path / "town")
    assert main(["init", "--dir", town, "--scheme", "hart=HART", "--scheme", "pubwatch=Pub Watch"]) == 0
    return town


def test_add_says_where_the_only_copy_of_the_keys_is(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = add_corner_shop(town)

    said = capsys.readouterr().out
    assert status == 0
    assert f"Carry {town}/nodes/00000010 to it, then delete it here" in said
    assert "it holds the only copy of its private keys" in said
    assert "A unit with keys from here has no gallery" in said


def test_add_gateway_says_that_it_is_one(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["add", "--dir", town, "--gateway", "--premises", "Control room radio", "--scheme", "hart"])

    assert status == 0
    assert "00000010 is Control room radio, a gateway. Carry" in capsys.readouterr().out


def test_list_as_json_is_for_programs(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["add", "--dir", town, "--premises", "Corner Shop", "--scheme", "hart", "--profile", "fake", "--with-keys"])
    capsys.readouterr()

    status = main(["list", "--dir", town, "--json"])

    listing = json.loads(capsys.readouterr().out)
    assert status == 0
    assert listing["directory_serial"] == 2
    assert [(n["node"], n["premises"], n["schemes"], n["revoked_at"]) for n in listing["nodes"]] == [
        ("00000010", "Corner Shop", ["hart"], None)
    ]
    assert listing["nodes"][0]["certificate_expires_at"].endswith("Z")


def test_pack_says_what_to_do_with_it(town: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    status = main(["pack", "--dir", town, "--to", str(tmp_path / "town.tar")])

    said = capsys.readouterr().out
    assert status == 0
    assert f"{tmp_path}/town.tar holds 17 files for central's machine, and none of the town's own secrets" in said
    assert "watchlink central install --from town.tar" in said


def test_pack_with_the_nodes_issuer_says_so(town: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_enrolment(Fleet.open(Path(town)).folder, ["192.0.2.10"])
    capsys.readouterr()
    main(["pack", "--dir", town, "--to", str(tmp_path / "town.tar")])

    said = capsys.readouterr().out
    assert "of the town's own secrets the key of the nodes' issuer" in said
    assert "can make nodes" in said


def test_pack_of_a_node_says_what_to_do_with_it(town: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Fleet.open(Path(town)).add("Corner Shop", "High St", ["hart"])
    capsys.readouterr()
    status = main(["pack", "--dir", town, "00000010", "--to", str(tmp_path / "node.tar")])

    said = capsys.readouterr().out
    assert status == 0
    assert "watchlink node install --from node.tar" in said
    assert f"Then delete it, and {town}/nodes/00000010: whoever has its keys is that node." in said


def test_pack_that_cannot_be_written_is_told(town: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["pack", "--dir", town, "--to", str(tmp_path / "nowhere/town.tar")])

    assert status == 1
    assert "nowhere/town.tar cannot be written: No such file or directory." in capsys.readouterr().err


@pytest.mark.finding(19)
def test_profile_that_does_not_exist_is_refused_with_those_that_do(
    town: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["add", "--dir", town, "--premises", "Corner Shop", "--scheme", "hart", "--profile", "ssd1309"])

    said = capsys.readouterr().err
    assert status == 2
    assert "No hardware profile 'ssd1309'" in said
    assert "ssd1309-128x64, ssd1309-128x64-spi" in said
    assert [] == [*Path(town).glob("nodes/*")]


def add_corner_shop(town: str, *more: str) -> int:
    name = ["--premises", "Corner Shop", "--place", "High St", "--scheme", "hart"]
    return main(["add", "--dir", town, "--with-keys", *name, *more])


@pytest.mark.finding(19)
def test_second_premises_of_a_name_is_not_added_without_a_yes(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A script has no terminal to be asked at."""
    add_corner_shop(town)
    status = main(["add", "--dir", town, "--premises", "corner  shop", "--scheme", "hart"])

    said = capsys.readouterr().err
    assert status == 2
    assert "00000010 is Corner Shop, High St, already" in said
    assert "--yes" in said
    assert 0 == add_corner_shop(town, "--yes")
    assert "Corner Shop" in capsys.readouterr().out


@pytest.mark.finding(19)
@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("Yes", 0), ("n", 2), ("", 2)])
def test_second_premises_of_a_name_is_asked_about_at_a_terminal(
    town: str, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    add_corner_shop(town)
    asked: list[str] = []

    def answered(question: str) -> str:
        asked.append(question)
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", answered)

    assert status == add_corner_shop(town)
    (question,) = asked
    assert "00000010 is Corner Shop, High St, already" in question


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "--premises", "A\u202eB", "--scheme", "hart"], "cannot be shown"),
        (["add", "--premises", "A", "--scheme", "tennis"], "No scheme 'tennis'"),
        (["revoke", "10"], "not a node's id"),
        (["revoke", "00000001"], "is central"),
        (["revoke", "000000ff"], "No node 000000ff"),
        (["renew", "000000ff"], "No node 000000ff"),
        (["init", "--scheme", "hart=HART"], "is taken"),
    ],
)
def test_what_cannot_be_ends_with_two_and_one_sentence(
    town: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    status = main([arguments[0], "--dir", town, *arguments[1:]])

    said = capsys.readouterr()
    assert status == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert said.err.startswith("watchlink fleet: ")


def test_scheme_without_a_name_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--dir", str(tmp_path / "town"), "--scheme", "hart"]) == 2
    assert "SLUG=NAME" in capsys.readouterr().err


def test_name_of_a_scheme_may_have_an_equals_sign(tmp_path: Path) -> None:
    town = tmp_path / "town"

    assert main(["init", "--dir", str(town), "--scheme", "hart=Shops = HART"]) == 0
    assert [("hart", "Shops = HART")] == [(one.slug, one.name) for one in Fleet.open(town).record.schemes]


@pytest.mark.parametrize("command", [[], ["list"]])
def test_help_shows_the_command_as_it_is_typed(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--help"])

    assert capsys.readouterr().out.startswith(" ".join(["usage: watchlink fleet", *command, "[-h] "]))


def test_help_says_what_the_timer_does_every_day(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())

    assert "bring each change to central, and every day new revocation lists and certificates that are due" in said
    assert "prove that the broker obeys them; 'renew --due', which runs daily, does so too" in said


def test_renew_crl_without_a_broker_is_not_proven(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["renew-crl", "--dir", town]) == 1
    assert "NOT PROVEN" in capsys.readouterr().err


def test_require_signatures_counts_those_that_did_not_sign_yet(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    add_corner_shop(town)
    capsys.readouterr()

    said = []
    for _ in range(2):
        assert 0 == main(["require-signatures", "--dir", town])
        said.append(capsys.readouterr().out.splitlines()[0])

    assert "All of them already have to sign." == said[-1]


def test_require_signatures_brings_the_directory_to_central(town: str, tmp_path: Path) -> None:
    record = Path(town) / "fleet.json"
    older = json.loads(record.read_bytes())
    del older["central"]["signs"]
    record.write_text(json.dumps(older))
    apply = Path(town) / "apply"
    apply.write_text(f"#!/bin/sh\ncp {town}/directory.json {tmp_path}/brought\n")
    apply.chmod(0o700)

    assert 1 == main(["require-signatures", "--dir", town, "--deadline", "0"]), "there is no broker"
    assert (Path(town) / "directory.json").read_bytes() == (tmp_path / "brought").read_bytes()


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("00000010", "New client.key, client.pem and ca.pem in"),
        ("central", "New client.key, client.pem and ca.pem in"),
        ("alerts", "New alerts.key, alerts.pem and ca.pem in"),
        ("broker", "New key and certificate in"),
    ],
)
def test_renew_says_what_is_new_and_where(town: str, capsys: pytest.CaptureFixture[str], who: str, said: str) -> None:
    add_corner_shop(town)
    capsys.readouterr()

    assert 0 == main(["renew", "--dir", town, who])

    assert f"{said} {town}/" in capsys.readouterr().out


def test_help_of_each_command_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*words: str) -> str:
        with pytest.raises(SystemExit):
            main([*words, "--help"])
        return capsys.readouterr().out

    names = re.findall(r"^    ([a-z-]+)(?: |$)", shown().partition("\ncommands:\n")[2], re.MULTILINE)

    assert {"add", "list", "revoke", "collect"} < set(names)
    for name in names:
        said = shown(name).partition("\n\n")[2]
        assert re.match(r"[A-Z][^:]+\.\n\n(positional arguments|options):\n", said), name
