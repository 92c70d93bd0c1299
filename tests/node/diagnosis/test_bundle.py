"""``watchlink node diagnose``: secrets in all that a node has, and none in the bundle; a broken node gets one too."""

from __future__ import annotations

import gzip
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from node.cli import main
from node.diagnosis import bundle
from node.diagnosis.bundle import gather, packed
from node.diagnosis.words import Words
from node.store.node_store import NodeStore
from provisioning.fleet import NewNode
from tests.support.fitted_unit import NODE, FittedUnit, fitted_unit
from wire.directory import DelegateChanges, SealedChanges, SealedDirectory, SenderEntry
from wire.ids import NodeId
from wire.signing import SigningKey

MARK = "Zyxq"
"""In every secret."""
ORDINARY = "The Test Button"
"""A premises whose name consists of words that stand in the source."""
PARTS = {"READ-ME.txt", "findings.jsonl", "versions.json", "configuration.json", "store.json", "unit.json", "log.jsonl"}


def contents(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {
            member.name.removeprefix("watchlink-diagnosis/"): (archive.extractfile(member) or io.BytesIO()).read()
            for member in archive.getmembers()
        }


def secret(what: str) -> str:
    return f"{MARK}{what}"


@pytest.fixture
def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FittedUnit:
    """A unit with a secret in every file of its state, configuration, log and environment."""
    unit = fitted_unit(tmp_path / secret("folder"), monkeypatch, premises=ORDINARY)
    unit.fleet.add_all([NewNode(f"{secret('neighbour')} Arms", secret("street"), ["hart", "pubwatch"])])
    (unit.folder / "directory.json").write_bytes(unit.fleet.layout.directory.read_bytes())
    unit.change('place = "High St"', f'place = "{secret("place")}"')
    unit.change(
        "[hardware]",
        f'[radio]\ndriver = "sound"\nlicence = "{secret("licence")}"\n[radio.sound]\ninput = "{secret("input")}"\n'
        f'output = "plughw:CARD={secret("output")}"\n[radio.ptt]\nserial = "/dev/{secret("tty")}"\n'
        f'hidraw = "/dev/{secret("raw")}"\n[radio.tnc]\nport = "socket://{secret("tnc")}:1"\n'
        f'[radio.speech]\nvoice = "{secret("voice")}"\nneutral_phrase = "{secret("phrase")}"\n[hardware]',
    )
    unit.change('host = "127.0.0.1"', f'host = "{secret("host")}.invalid" # {secret("comment")}')
    _fill_state(unit.folder / "state")
    for name in ("photo.jpg", "wpa_supplicant.conf", f"{secret('name')}.txt"):
        (unit.folder / name).write_text(secret("file"))
    _fill_log(unit)
    for name in ("WIFI_PSK", "WATCHLINK_TOKEN", secret("VARIABLE")):
        monkeypatch.setenv(name, secret("environment"))
    return unit


def _fill_state(state: Path) -> None:
    store = NodeStore(state, NodeId(0x10), SigningKey(bytes(32)), "boot")
    store.open()
    store.close()
    with closing(sqlite3.connect(state / "node.db")) as db, db:
        data = secret("frame").encode()
        db.execute("INSERT INTO outbox VALUES (7, ?, 0, 0, ?, 0, 0)", (data, secret("boot")))
        db.execute("INSERT INTO inbox VALUES (17, 1, ?, 0, 0, NULL)", (data,))
        db.execute("INSERT INTO kv VALUES ('told', ?)", (data,))
        db.execute("INSERT INTO kv VALUES (?, ?)", (secret("key"), data))
    (state / "phrases").mkdir()
    (state / "phrases" / f"{secret('sentence')}.s16").write_text(secret("sound"))
    (state / f"node.db.damaged-{secret('stamp')}").write_text(secret("damaged"))
    (state / secret("other")).write_text(secret("other"))


def _fill_log(unit: FittedUnit) -> None:
    frame = f'  File "/opt/{secret("path")}/node/app.py", line 5, in {secret("function")}\n'
    trace = f"Traceback:\n{frame}ValueError: {secret('error')}"
    records: list[object] = [
        {"level": "INFO", "name": secret("logger"), "message": f"no link: {secret('message')} at 203.0.113.77"},
        {"message": f"found {ORDINARY}, {ORDINARY.lower()}", secret("field"): secret("value"), "exc_info": trace},
        {
            "fact": "acknowledged",
            "alert": f"{NODE}-7",
            "premises": ORDINARY,
            "name": secret("person"),
            "role": secret("role"),
        },
        {"fact": secret("fact"), "alert": secret("alert"), "at_ms": secret("at"), "detail": [secret("detail")]},
        f"a line {secret('line')} 07700900123 {secret('wifi')}=x",
    ]
    lines = [
        {
            "__REALTIME_TIMESTAMP": "1700000000000000",
            "_BOOT_ID": secret("bootid"),
            "_HOSTNAME": secret("hostname"),
            "_PID": pid,
            "MESSAGE": record if isinstance(record, str) else json.dumps(record),
            "EXIT_STATUS": secret("status"),
            secret("JOURNAL"): secret("journal"),
        }
        for record in records
        for pid in ("1", "9")
    ]
    unit.program("journalctl", "\n".join(map(json.dumps, lines)))
    unit.systemd(
        StatusText=f"armed, faults: oled {secret('status')}; not connected: {secret('link')}",
        IPAddressAllow=f"203.0.113.77/32 {secret('address')}",
        Environment=secret("unit"),
        FragmentPath=f"/etc/{secret('fragment')}",
        Result=secret("result"),
    )


def keys_of(unit: FittedUnit) -> list[bytes]:
    """Key material: whole lines of each file of the identity that is left."""
    files = (unit.folder / name for name in ("signing.key", "client.key", "client.pem", "ca.pem", "directory.json"))
    return [line for file in files if file.exists() for line in file.read_bytes().split(b"\n") if len(line) > 40]


def leaks(unit: FittedUnit, parts: dict[str, bytes]) -> list[str]:
    """Where something of the unit's stands that must not."""
    wanted = [MARK.encode(), b"Test Button", b"203.0.113", b"07700900123", *keys_of(unit)]
    return [
        f"{name}: {want[:20]!r}"
        for name, data in parts.items()
        for want in wanted
        if want.lower() in data.lower() or want.lower() in name.encode().lower()
    ]


def made(unit: FittedUnit, to: Path) -> Iterator[Path]:
    to.mkdir(exist_ok=True)
    main(["diagnose", "--config", str(unit.file), "--to", str(to)])
    yield from to.glob("watchlink-diagnosis-*.tar.gz")


def test_no_marked_secret_is_in_the_bundle(marked: FittedUnit, tmp_path: Path) -> None:
    (file,) = made(marked, tmp_path / "stick")
    parts = contents(file)

    assert PARTS == set(parts)
    assert [] == leaks(marked, {file.name: gzip.decompress(file.read_bytes()), **parts})


def test_bundle_still_says_what_an_engineer_needs(marked: FittedUnit) -> None:
    """An empty file would pass the test above."""
    node, parts, missing = gather(marked.file, "1.2", marked.machine)
    found = {one["step"]: one for one in map(json.loads, parts["findings.jsonl"].splitlines())}
    log = [json.loads(line) for line in parts["log.jsonl"].splitlines()]
    store, unit = json.loads(parts["store.json"]), json.loads(parts["unit.json"])

    assert (NODE, ()) == (node, missing)
    assert ("ok", 89) == (found["unit"]["outcome"], found["certificate"]["figures"]["days_left"])
    assert "no link: … at …" in [entry["message"] for entry in log if "message" in entry]
    assert (1, 1, 1) == (store["frames"], store["seen"], store["damaged_files"])
    assert ("active", 2) == (unit["ActiveState"], unit["addresses_allowed"])
    assert "1.2" == json.loads(parts["versions.json"])["watchlink"]


@pytest.mark.parametrize("door", ["words", "configuration", "store", "log"])
def test_search_for_secrets_finds_each_door_that_stands_open(
    marked: FittedUnit, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    """The test above can fail, at each way out."""
    match door:
        case "words":
            monkeypatch.setattr(Words, "clean", lambda _, text: str(text))
        case "configuration":
            monkeypatch.setattr("node.diagnosis.settings._seen", lambda _key, value, _field: value)
        case "store":
            monkeypatch.setattr(
                bundle, "_figures", lambda found: {"names": sorted(map(str, found.identity.state_dir.iterdir()))}
            )
        case "log":
            monkeypatch.setattr(
                bundle, "unit_log", lambda _: (marked.programs / "journalctl.says").read_text().splitlines()
            )

    assert [] != leaks(marked, gather(marked.file, "1.2", marked.machine)[1])


def test_names_that_the_unit_knows_are_taken_out_though_made_of_ordinary_words(
    marked: FittedUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "_names", lambda *_: [])
    monkeypatch.setattr(bundle, "names_in", lambda _: ["nothing"])

    assert [] != leaks(marked, gather(marked.file, "1.2", marked.machine)[1])


def test_names_that_a_delegate_has_added_are_taken_out_too(marked: FittedUnit) -> None:
    file = marked.folder / "directory.json"
    added = SenderEntry(node="00000044", key=bytes(32), premises="The Test Radio")
    changes = msgspec.json.encode(DelegateChanges(serial=1, made_at=datetime.now(UTC), added=(added,)))
    sealed = msgspec.json.decode(file.read_bytes(), type=SealedDirectory)
    changed = replace(sealed, changes=SealedChanges(document=changes, signature=bytes(64)))
    file.write_bytes(msgspec.json.encode(changed))
    entry = {"__REALTIME_TIMESTAMP": "1", "MESSAGE": "no link to The Test Radio, 00000044"}
    marked.program("journalctl", json.dumps(entry))
    (told,) = gather(marked.file, "1.2", marked.machine)[1]["log.jsonl"].splitlines()

    assert "no link to ‹name› 00000044" == json.loads(told)["message"]


@pytest.mark.parametrize(
    "broken", ["no configuration", "no TOML", "corrupt store", "no identity", "no programs", "corrupt directory"]
)
def test_broken_node_gets_a_bundle_that_says_what_is_missing(marked: FittedUnit, tmp_path: Path, broken: str) -> None:
    match broken:
        case "no configuration":
            marked.file.unlink()
        case "no TOML":
            marked.file.write_text(f'premises = "{ORDINARY}"\n{secret("x")} {secret("y")}')
        case "corrupt store":
            (marked.folder / "state" / "node.db").write_text(secret("corrupt") * 1_000)
        case "no identity":
            for file in marked.folder.glob("*.key"):
                file.unlink()
        case "no programs":
            for file in marked.programs.iterdir():
                file.unlink()
        case "corrupt directory":
            (marked.folder / "directory.json").write_text(secret("directory"))
    (file,) = made(marked, tmp_path / "stick")
    parts = contents(file)

    assert {"READ-ME.txt", "findings.jsonl", "versions.json"} <= set(parts)
    assert (PARTS == set(parts)) == (b"Missing: " not in parts["READ-ME.txt"])
    assert [] == leaks(marked, parts)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes the rights of another user")
def test_who_may_not_look_gets_what_can_be_had(marked: FittedUnit) -> None:
    gather(marked.file, "1.2", marked.machine)  # loads every module: the other user may not see Python's own files
    marked.folder.chmod(0)
    os.seteuid(65_534)
    try:
        node, parts, missing = gather(marked.file, "1.2", marked.machine)
    finally:
        os.seteuid(0)

    assert ("unknown", True) == (node, {"findings.jsonl", "versions.json"} <= set(parts)), missing
    assert PARTS == set(parts) | {why.partition(":")[0] for why in missing}
    assert [] == leaks(marked, parts)


def test_folder_that_takes_nothing_is_told_with_another_way(
    fitted: FittedUnit, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert 2 == main(["diagnose", "--config", str(fitted.file), "--to", str(tmp_path / "nowhere")])
    assert "Give another place, such as --to /dev/shm" in capsys.readouterr().err


def test_full_disk_is_told_and_leaves_nothing_half_written(
    fitted: FittedUnit, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Path, data: bytes) -> int:
        with file.open("wb") as begun:
            begun.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)

    assert 2 == main(["diagnose", "--config", str(fitted.file), "--to", str(tmp_path)])
    assert "No space left on device" in capsys.readouterr().err
    assert [] == list(tmp_path.glob("*.tar.gz"))


def test_archive_says_nothing_of_who_made_it(tmp_path: Path) -> None:
    file = tmp_path / "x.tar.gz"
    file.write_bytes(packed({"a": b"b"}))
    with tarfile.open(file) as archive:
        (member,) = archive.getmembers()

    assert ("", "", 0, 0, 0) == (member.uname, member.gname, member.uid, member.gid, member.mtime)


def test_towns_name_in_the_root_is_taken_out_though_an_ordinary_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In ca.pem the issuer comes first, whose name says nothing of the town."""
    unit = fitted_unit(tmp_path, monkeypatch)
    said = json.dumps({"message": "found Town"})
    unit.program("journalctl", json.dumps({"__REALTIME_TIMESTAMP": "1700000000000000", "MESSAGE": said}))
    log = gather(unit.file, "1.2", unit.machine)[1]["log.jsonl"].decode()

    assert "found ‹name›" in json.loads(log.splitlines()[0])["message"]
