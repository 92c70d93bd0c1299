"""Which premises have a unit: from the directory that the fleet signs. The office never decides it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from django.conf import settings

from office.config import Configuration
from wire.directory import open_directory
from wire.errors import DirectoryError
from wire.ids import node_text
from wire.signing import PublicKey

Units = Mapping[int, tuple[str, ...]]
"""Nodes in use by the number of their premises."""
_NONE: Units = MappingProxyType({})


def units() -> Units | None:
    """As the newest directory says; ``None`` = it cannot be read, so nobody knows. Without a configuration: none."""
    office: Configuration | None = settings.OFFICE
    return _NONE if office is None else units_in(office.directory_file, office.authority)


def units_in(file: Path, authority: PublicKey) -> Units | None:
    """As that file says; ``None`` = it cannot be read or was not signed by ``authority``."""
    try:
        stat = file.stat()
        return _read(file, authority, stat.st_mtime_ns, stat.st_size, stat.st_ino)
    except (OSError, DirectoryError):
        return None


@lru_cache(maxsize=2)
def _read(file: Path, authority: PublicKey, *_seen: int) -> Units:
    # Verifying thousands of nodes takes longer than a page may: once for each version of the file.
    found: dict[int, tuple[str, ...]] = {}
    for node, sender in open_directory(file.read_bytes(), authority).senders.items():
        if sender.office_premises and not sender.is_revoked:
            found[sender.office_premises] = (*found.get(sender.office_premises, ()), node_text(node))
    return MappingProxyType(found)
