from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from pyrage import x25519

from office.backup.contents import PROGRAM, trusted_origin
from office.config import Configuration, load_configuration
from runtime.backup_file import Manifest, encrypt, entry_of, new_identity, pack, unpack
from runtime.key_file import read_key
from runtime.snapshot_folder import SnapshotFolder
from tests.support.office_program import AUTHORITY, found, in_office, office, write_config
from wire.directory import DirectoryDocument, SchemeEntry, seal_directory
from wire.signing import PublicKey, SigningKey
from wire.snapshots import People, Town

FILL = """
from office.accounts import acts
from office.accounts.models import Scheme
from office.people.models import Individual
from office.people.photographs import add_photograph
from tests.office.conftest import browser_of, person_of
from tests.office.people.conftest import taken
hart = Scheme.objects.get(slug="hart")
cora = person_of("cora", ("co-ordinator", 1), name="Cora Hart")
for number in (1, 2):
    one = Individual.objects.create(scheme=hart, number=number, name=f"Nobody {number}")
    add_photograph(cora, one, taken(), source="camera 4", taken_on=None)
acts.invite(None, name="Jo", email="", role="pcso", schemes=[hart])
browser = browser_of(cora)
assert browser.get("/", SERVER_NAME="localhost").status_code == 200
"""
"""A co-ordinator who is signed in, two people of the register with a photograph each, and an open invitation."""
ERASE = """
from django.db import transaction
from office.accounts.models import Account
from office.people.models import Individual
from office.people.rights import erase_all
cora = Account.objects.get(username="cora")
with transaction.atomic():
    erase_all(cora, Individual.objects.get(number=1))
    Individual.objects.create(scheme_id=1, number=3, name="Since")
"""
PUBLISH = """
from office.publisher.app import Publisher
from runtime.logs import FactLog
from runtime.service import Service
from django.conf import settings
Publisher(settings.OFFICE, FactLog(), Service())._publishing.look()
"""


class Kept(Struct):
    """An office, its people's two keys, and the folder of its backups."""

    file: Path
    identity: x25519.Identity
    keys_identity: x25519.Identity

    @property
    def folder(self) -> Path:
        return self.file.parent / "backups"

    @property
    def configuration(self) -> Configuration:
        return load_configuration(self.file)

    @property
    def key_file(self) -> Path:
        return self.file.parent / "backup.key"

    @property
    def keys_key_file(self) -> Path:
        return self.file.parent / "keys.key"

    @property
    def made(self) -> Path:
        """The one backup that there is."""
        (found,) = self.folder.glob("office-[0-9a-f]*.age")
        return found

    def run(self, name: str, *words: object) -> tuple[int, str]:
        """One command: its status, and all that it said."""
        done = office(name, "--config", self.file, *words)
        return done.returncode, done.stdout + done.stderr

    def restore(self, *words: object, backup: Path | None = None) -> str:
        """What it said, done. Without any list it is told so."""
        if "--lists" not in words and not any((self.file.parent / "snapshots").glob("people-*.json")):
            words = (*words, "--lists-lost")
        status, said = self.run("restore", "--from", backup or self.made, "--identity", self.key_file, *words)
        assert 0 == status, said
        return said

    def altered(self, change: Callable[[Path], None], **of_manifest: Any) -> Path:  # noqa: ANN401 - fields of several types
        """Another backup of the same signature, in which something was changed."""
        work = self.file.parent / "altered"
        work.mkdir()
        configuration = self.configuration
        manifest = unpack(self.made, work, [self.identity], trusted_origin(configuration, PROGRAM))
        change(work)
        names = [entry.name for entry in manifest.files]
        files = {name: work / name for name in names}
        entries = tuple(entry_of(name, file) for name, file in files.items())
        new = msgspec.structs.replace(manifest, files=entries, **of_manifest)
        return sealed(self, new, files)


def sealed(kept: Kept, manifest: Manifest, files: dict[str, Path]) -> Path:
    key = SigningKey(read_key(kept.configuration.snapshot_key_file, "key"))
    archive, target = kept.file.parent / "archive", kept.file.parent / "altered.age"
    pack(archive, manifest, files, key)
    with target.open("wb") as out:
        encrypt(archive, out, [kept.identity.to_public()])
    return target


def names_in(kept: Kept, folder: Path) -> dict[str, bytes]:
    """What is in the backup, by its name there."""
    folder.mkdir()
    unpack(kept.made, folder, [kept.identity], trusted_origin(kept.configuration, PROGRAM))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def asked(kept: Kept, code: str) -> object:
    """What code prints in the office as its last line, as JSON."""
    return json.loads(in_office(kept.file, f"import json\n{code}").splitlines()[-1])


def central_of(kept: Kept, folder: Path) -> SnapshotFolder[People]:
    """As central reads the office's list of people, and keeps the newest."""
    key = PublicKey(bytes.fromhex(kept.configuration.snapshot_public_file.read_text()))
    return SnapshotFolder(
        kept.configuration.snapshots_folder,
        folder,
        People,
        Town(AUTHORITY.public),
        keys=lambda: (key,),
        on_new=lambda _: None,
        on_fault=lambda _: None,
    )


@pytest.fixture(scope="session")
def kept_once(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """With both backups made. It takes seconds, so it is made once, and only copied."""
    file = shutil.copytree(founded, tmp_path_factory.mktemp("kept"), dirs_exist_ok=True) / "office.toml"
    kept = Kept(file, new_identity(), new_identity())
    return filled(kept)


def filled(kept: Kept) -> Kept:
    """An office that was founded gets people, keys and both backups."""
    kept.key_file.write_text(str(kept.identity))
    kept.keys_key_file.write_text(str(kept.keys_identity))
    kept.folder.mkdir()
    (kept.file.parent / "snapshots").mkdir()
    recipients = f'recipients = ["{kept.identity.to_public()}"]\nkeys_recipients = ["{kept.keys_identity.to_public()}"]'
    kept.file.write_text(f'{kept.file.read_text()}\n[backup]\n{recipients}\nfolder = "backups"\nkeep_days = 7\n')
    in_office(kept.file, FILL)
    for name in ("backup", "backup-keys"):
        status, said = kept.run(name)
        assert 0 == status, said
    time.sleep(1)  # A test's next backup has another name: two of one second would have the same, and are refused.
    return kept


@pytest.fixture
def kept(kept_once: Kept, tmp_path: Path) -> Kept:
    """A test's own copy."""
    file = shutil.copytree(kept_once.file.parent, tmp_path / "office") / "office.toml"
    return msgspec.structs.replace(kept_once, file=file)


def trust(kept: Kept) -> None:
    """The fleet's directory names this office's key."""
    key = bytes.fromhex(kept.configuration.snapshot_public_file.read_text())
    document = DirectoryDocument(
        serial=2,
        issued_at=datetime(2026, 11, 2, tzinfo=UTC),
        schemes=tuple(SchemeEntry(number=number, slug=slug, name=slug) for number, slug in ((1, "hart"), (2, "pub"))),
        senders=(),
        office_keys=(key,),
    )
    kept.configuration.directory_file.write_bytes(seal_directory(document, AUTHORITY))


@pytest.fixture(scope="module")
def erased_once(kept_once: Kept, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The fleet trusts it, and it has published since somebody was erased. Made once, and only copied."""
    file = shutil.copytree(kept_once.file.parent, tmp_path_factory.mktemp("erased") / "office") / "office.toml"
    kept = msgspec.structs.replace(kept_once, file=file)
    trust(kept)
    in_office(kept.file, ERASE + PUBLISH)
    return kept


@pytest.fixture
def erased(erased_once: Kept, tmp_path: Path) -> Kept:
    """A test's own copy."""
    file = shutil.copytree(erased_once.file.parent, tmp_path / "office") / "office.toml"
    return msgspec.structs.replace(erased_once, file=file)


@pytest.fixture(scope="module")
def other_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an office as ``init`` leaves it, with keys of its own. Made once, and only copied."""
    file = write_config(tmp_path_factory.mktemp("other"))
    found(file)
    return file.parent
