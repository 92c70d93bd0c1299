"""The days after: a certificate renews itself, a broken unit is replaced, central is backed up, lost and restored."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from central.store.database import ENTRY_NUMBER
from demo.chronicle import CENTRAL
from demo.live.opening import awaited_in, until_state, until_well
from demo.live.site import Site
from demo.live.thief import show
from demo.live.unit import armed_unit
from demo.scripts.stage import Stage
from runtime.broker_probe import Verdict
from wire.directory import open_directory
from wire.ids import parse_node
from wire.topics import Up, UpTopic


async def renewed(stage: Stage, site: Site, key: str) -> None:
    """A unit gets itself a new certificate for a new key, and connects with it."""
    shop = stage.premises(key)
    folder = shop.database.parents[1]
    before = _identity(folder)
    said = await site.watchlink("node", "renew", "--config", str(folder / "node.toml"), "--now")
    after = _identity(folder)
    stage.check("renewed. The new certificate lasts until" in said, f"'node renew' renewed; it said:\n{said}")
    stage.check(site.said("renewed", node=shop.node) is not None, "the service has told of it")
    for what, old, new in zip(("certificate", "key"), before, after, strict=True):
        stage.check(old != new, f"its {what} is a new one")
    # From now on it has nothing else to connect with.
    await shop.program.stop()
    await shop.board.disconnect()
    await until_state(stage, shop, "stopped")
    await stage.town.bring_up(shop.program)
    await until_well(stage, shop)
    stage.say("renewed", shop)


async def replaced(stage: Stage, site: Site, key: str, successor_key: str) -> None:
    """A broken unit's identity is dead, and another unit takes its place at the same premises."""
    broken = stage.premises(key)
    await stage.town.kill(broken.program)
    stage.town.gone.add(broken.node)
    said = await site.manage_and_apply("replace", broken.node, "--yes")
    awaited = awaited_in(site, said, broken.address)
    successor = await armed_unit(site, successor_key, awaited.unit, awaited.code)
    await until_well(stage, successor)
    await until_state(stage, broken, "revoked")
    fleet = site.fleet
    directory = open_directory(fleet.layout.directory.read_bytes(), fleet.folder.authority_public())
    stage.check(directory.senders[parse_node(broken.node)].is_revoked, "the old unit is struck from the directory")
    topic = str(UpTopic(parse_node(broken.node), Up.HEALTH))
    verdict = await asyncio.to_thread(show, broken.database.parents[1], site, topic)
    stage.check(verdict is Verdict.REVOKED, f"the old unit's certificate is refused as revoked: it was {verdict}")
    old, (new,) = fleet.record.node(broken.node), fleet.record.claims
    stage.check(
        (old.premises, old.place, old.schemes, old.profile) == (new.premises, new.place, new.schemes, new.profile),
        "the premises is the same",
    )
    line = next((line for line in (await stage.town.watch_room.board()).nodes if line.node == successor.node), None)
    stage.check(line is not None and line.premises == broken.address.premises, "central shows it at that premises")
    stage.say("replaced", broken, successor=successor.node)


class Kept(Struct):
    """What was backed up.

    Attributes:
        file: the backup.
        identity: the key that opens it.
        alerts: that it holds.
        numbers: central's, as it was lost: the highest counter of its frames, and entry of its journal.
    """

    file: Path
    identity: Path
    alerts: tuple[str, ...]
    numbers: tuple[int, int] = (0, 0)
    database: Path = Path()

    def check_numbers(self, stage: Stage, when: str) -> None:
        """Whether central's numbers are above those of the central that was lost."""
        after = numbers_used(self.database)
        for what, lost, now in zip(("counter", "journal's entry"), self.numbers, after, strict=True):
            stage.check(now > lost > 0, f"{when}, central's {what} runs on: {lost} when it was lost, {now} now")


async def back_up(stage: Stage, site: Site) -> Kept:
    """One encrypted file, which its key opens."""
    folder, identity = site.town.folder / "backups", site.town.folder / "backup.key"
    folder.mkdir()
    told = await site.watchlink("central", "backup-key", "--to", str(identity))
    with site.town.central_toml.open("a", encoding="utf-8") as file:
        file.write("\n" + told.partition("\n")[2])
    config = ["--config", str(site.town.central_toml)]
    alerts = tuple(dict.fromkeys(fact.alert for fact in stage.town.chronicle.all("receipt")))
    await site.watchlink("central", "backup", *config, "--to", str(folder))
    (made,) = folder.iterdir()
    proof = await site.watchlink(
        "central", "restore", *config, "--from", str(made), "--identity", str(identity), "--prove"
    )
    stage.check("the key opens it, all of it is whole" in proof, f"the backup was proven; it said:\n{proof}")
    stage.check(not re.search(rb"SQLite format|Corner Shop", made.read_bytes()), "nobody reads it without its key")
    stage.say("backed_up", bytes=made.stat().st_size)
    return Kept(made, identity, alerts)


async def lose_and_restore(stage: Stage, site: Site, kept: Kept, presser: str) -> None:
    """Central's disk is gone, with a press that the backup does not have. A bare machine becomes central again."""
    town, shop = stage.town, stage.premises(presser)
    lost = await stage.press(shop, "assist")
    await stage.until_fact("receipt", shop.node, lost)
    await stage.until_warned(shop, lost)
    await town.kill(town.central)
    kept.database = site.central / "state" / "central.db"
    kept.numbers = numbers_used(kept.database)
    state = site.central.parent
    shutil.rmtree(state)
    await site.install_again()
    stage.check(not kept.database.exists(), "the new machine has no database")
    config = ["--config", str(town.central_toml)]
    said = await site.watchlink(
        "central", "restore", *config, "--from", str(kept.file), "--identity", str(kept.identity)
    )
    stage.check("Everybody signs in again" in said, f"'restore' said what to do; it said:\n{said}")
    for one in kept.alerts:
        stage.check(stage.records.has_frame(one), f"{one} is on the restored disk")
    stage.check(not stage.records.has_frame(lost), f"{lost} came after the backup")
    # Before it runs: later the units tell it better.
    kept.check_numbers(stage, "restored")
    stage.say("restored")
    since = len(town.chronicle)
    await town.restart(town.central)
    await stage.until_fact("committed", CENTRAL, lost, since=since)


def numbers_used(database: Path) -> tuple[int, int]:
    """The highest counter that central may have signed with, and the highest entry of its journal."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=5)) as disk:
        (counter,) = disk.execute("SELECT value FROM counters WHERE name = 'frames'").fetchone()
        (entry,) = disk.execute("SELECT max(entry) FROM frames").fetchone()
        from_there = disk.execute("SELECT value FROM counters WHERE name = ?", (ENTRY_NUMBER,)).fetchone() or (0,)
    return int(counter), max(int(entry), int(from_there[0]))


def _identity(folder: Path) -> tuple[int, bytes]:
    own = x509.load_pem_x509_certificates((folder / "client.pem").read_bytes())[0]
    return own.serial_number, (folder / "client.key").read_bytes()
