"""The configuration, the identity's files, the certificate and the directory."""

from __future__ import annotations

import os
import pwd
import stat
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from msgspec import Struct

from node.check.store_copy import StoreLook
from node.check.unit import Unit
from node.config import EXPIRES_SOON_DAYS, NodeConfig, NodeFile, check_certificate, check_directory, load_config
from node.step import Outcome, Step, bad, not_done, ok
from runtime.config import ConfigError, load_toml
from runtime.tls import client_context
from wire.directory import Directory, open_directory
from wire.directory_succession import newest
from wire.errors import DirectoryError
from wire.ids import node_text, parse_node

_RUN_AS_ROOT: Final = "run it as root: sudo watchlink node check …"
_SECRET: Final = frozenset({"signing_key_file", "key_file"})


class Identity(Struct, frozen=True):
    """What could be read of the configuration.

    Attributes:
        config_file: ``node.toml``.
        file: as parsed; ``None`` = it cannot be.
        config: with every file that it names; ``None`` = one of them is unusable.
    """

    config_file: Path
    file: NodeFile | None
    config: NodeConfig | None

    @property
    def folder(self) -> Path:
        """Paths in the file are relative to it."""
        return self.config_file.absolute().parent

    @property
    def state_dir(self) -> Path | None:
        """Where the node keeps its store; ``None`` = not known."""
        return self.folder / self.file.state_dir if self.file else None

    @property
    def files(self) -> dict[str, Path]:
        """The files of the identity, by the key that names each."""
        if self.file is None:
            return {}
        tables = (self.file.identity, self.file.mqtt)
        keys = ((table, key) for table in tables for key in table.__struct_fields__ if key.endswith("_file"))
        return {key: self.folder / getattr(table, key) for table, key in keys}


def read_configuration(config_file: Path, version: str) -> tuple[Identity, Step]:
    """Read everything that can be read."""
    try:
        file = load_toml(config_file, NodeFile)
    except ConfigError as e:
        nothing = Identity(config_file, None, None)
        if isinstance(e.__cause__, OSError):
            advice = _RUN_AS_ROOT if isinstance(e.__cause__, PermissionError) else "give its place: --config FILE"
            return nothing, Step("configuration", Outcome.UNSEEN, str(e), advice)
        return nothing, bad("configuration", str(e), "correct that key; docs/configuration.md names them all")
    try:
        config = load_config(config_file, version)
    except ConfigError as e:
        identity = Identity(config_file, file, None)
        if isinstance(e.__cause__, PermissionError):
            return identity, Step("configuration", Outcome.UNSEEN, str(e), _RUN_AS_ROOT)
        return identity, bad("configuration", str(e), "carry the node's folder here again, whole")
    settings = config.settings
    schemes = ", ".join(map(str, settings.scheme_numbers))
    text = f"{config_file}: node {node_text(settings.node)}, {settings.premises}, scheme {schemes}"
    return Identity(config_file, file, config), ok("configuration", text)


def files_step(identity: Identity, unit: Unit) -> Step:
    """Are the identity's files there, does the node's user own them, and can nobody else read the keys?"""
    if identity.file is None:
        return _needs("identity files")
    uid = os.geteuid() if unit.uid is None else unit.uid
    name = _user(uid)
    problems, advice = [], ""
    for key, path in identity.files.items():
        try:
            found = path.stat()
        except PermissionError:
            return Step("identity files", Outcome.UNSEEN, f"{path}: no right to look", _RUN_AS_ROOT)
        except OSError as e:
            problems.append(f"{path} is missing" if isinstance(e, FileNotFoundError) else f"{path}: {e.strerror}")
            advice = advice or "carry the node's folder here again, whole"
            continue
        if not _may_read(found, uid):
            if unit.uid is None:  # We only know that this user may not.
                return Step("identity files", Outcome.UNSEEN, f"{path}: no right to look", _RUN_AS_ROOT)
            problems.append(f"{name} cannot read {path} (owner {_user(found.st_uid)}, mode {found.st_mode & 0o777:o})")
            advice = f"chown -R {name}: {identity.folder}"
        elif key in _SECRET and found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            problems.append(f"others can read the key {path} (mode {found.st_mode & 0o777:o})")
            advice = advice or f"chmod 600 {path}"
    if problems:
        return bad("identity files", "; ".join(problems), advice)
    return ok("identity files", f"all {len(identity.files)} are there; {name} can read them, and only it the keys")


def _may_read(found: os.stat_result, uid: int) -> bool:
    if uid == 0:
        return True
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IRUSR)
    try:
        user = pwd.getpwuid(uid)
        groups = os.getgrouplist(user.pw_name, user.pw_gid)
    except KeyError:
        groups = []
    return bool(found.st_mode & (stat.S_IRGRP if found.st_gid in groups else stat.S_IROTH))


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def certificate_step(identity: Identity, now: datetime) -> Step:
    """Is it this node's, from our CA, with its key, and for how long?"""
    if identity.file is None:
        return _needs("certificate")
    link = identity.file.mqtt.resolved(identity.folder)
    renew = "have the fleet's engineer renew it: watchlink fleet renew; carry client.key, client.pem and ca.pem here"
    try:
        problem, _ = check_certificate(identity.config_file, link, parse_node(identity.file.identity.node), now)
        if problem:
            return bad("certificate", problem, renew)
        client_context(Path(link.ca_file), Path(link.certificate_file), Path(link.key_file), lambda _: None)
        chain = x509.load_pem_x509_certificates(Path(link.certificate_file).read_bytes())
    except (ConfigError, OSError) as e:
        if isinstance(e.__cause__ or e, PermissionError):
            return Step("certificate", Outcome.UNSEEN, str(e), _RUN_AS_ROOT)
        return bad("certificate", str(e), "carry the node's folder here again, whole")
    ends_at = min(one.not_valid_after_utc for one in chain)
    days = (ends_at - now).days
    ends = f"expires on {ends_at:%d %b %Y}, in {days} days"
    by = ", ".join(str(one.value) for one in chain[0].issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME))
    text = f"this node's, from the CA {by or 'without a name'}; {ends}"
    if days < EXPIRES_SOON_DAYS:
        return bad("certificate", text, renew, days_left=days)
    return ok("certificate", text, days_left=days)


def directory_step(identity: Identity, store: StoreLook, now: datetime) -> Step:
    """The newest directory that the node has: signed, with this node in it, not struck off?"""
    config = identity.config
    if config is None:
        return _needs("directory")
    held = config.directory
    if store.directory:
        try:
            held = newest(held, open_directory(store.directory, config.authority))
        except DirectoryError:
            return bad(
                "directory", "the kept one is not signed by this town's authority", "restart the node: it asks anew"
            )
    age_days = (int(now.timestamp()) - held.issued_at_s) // 86_400
    figures = {"serial": held.serial, "age_days": age_days, "senders": len(held.senders)}
    if problems := check_directory(held, config.settings.node, config.settings.scheme_numbers, config.signing_key):
        return bad("directory", "; ".join(problems), _advice(held, identity), **figures)
    text = f"number {held.serial}, signed by the authority {age_days} days ago; this node is in it, not struck off"
    return ok("directory", text, **figures)


def _advice(directory: Directory, identity: Identity) -> str:
    assert identity.config is not None
    us = directory.senders.get(identity.config.settings.node)
    if us is not None and us.is_revoked:
        return "this unit was struck off and stays so: ask the fleet's engineer for a new one"
    return "ask the fleet's engineer; a newer directory comes by itself once the unit is connected"


def _needs(name: str) -> Step:
    return not_done(name, "not looked at: the configuration must be right first")
