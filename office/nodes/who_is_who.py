"""What the town says of its nodes now: the directories and revocation lists that this machine has.

The authority's directory does not know the shops that have claimed their place since, nor whom the delegate has struck:
that is in the enrolment service's, if it runs on this machine. Whichever may follow the other counts, as at central.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from msgspec import Struct

from office.nodes.config import Configuration
from office.nodes.rules.asking import Asker, Certificate, Problem, Revoked, judge
from runtime.config import ConfigError
from runtime.revocation_list import signed_list, split_lists
from runtime.watched_file import WatchedFile
from wire.directory import EMPTY_DIRECTORY, Directory, open_directory
from wire.directory_succession import refusal
from wire.limits import DIRECTORY_BYTES_MAX
from wire.signing import PublicKey

logger = logging.getLogger(__name__)

LISTS_BYTES_MAX: Final = 16_777_216
"""Of all revocation lists: some 400,000 certificates."""


class _Lists(Struct, frozen=True):
    """By issuer."""

    numbers: Mapping[str, int]
    lists: Mapping[str, Revoked]


class WhoIsWho:
    """Safe to ask from any thread while one looks.

    Args:
        authority: whose directory is believed.
        directory_file: the authority's.
        delegated_file: with the delegate's changes; ``None`` = there is none on this machine.
        lists_file: the revocation lists of all issuers, as the broker has them.
        issuers: the nodes'.
        now_s: Unix time.
        on_fault: takes a sentence when what is wrong changes.

    Attributes:
        directory: the newest; ``directory_data`` are its bytes, for whoever checks the signatures again.

    Raises:
        ConfigError: there is no directory of this authority yet, or no list of the issuers.
    """

    def __init__(
        self,
        authority: PublicKey,
        directory_file: Path,
        delegated_file: Path | None,
        *,
        lists_file: Path,
        issuers: Sequence[x509.Certificate],
        now_s: Callable[[], float] = time.time,
        on_fault: Callable[[str], None] = lambda fault: logger.warning("%s", fault) if fault else None,
    ) -> None:
        self._authority = authority
        self._issuers = {issuer.subject: issuer for issuer in issuers}
        self._names = sorted(issuer.subject.rfc4514_string() for issuer in issuers)
        self._now_s = now_s
        self.directory = EMPTY_DIRECTORY
        self.directory_data = b""
        self._directories = [
            WatchedFile(path, self._open_directory, DIRECTORY_BYTES_MAX, on_fault)
            for path in (directory_file, delegated_file)
            if path is not None
        ]
        self._lists: WatchedFile[_Lists] = WatchedFile(lists_file, self._open_lists, LISTS_BYTES_MAX, on_fault)
        self.look()
        if not self.directory.serial:
            raise ConfigError(f"{directory_file}: no directory of this town's authority")
        if self._lists.contents is None:
            raise ConfigError(f"{lists_file}: no revocation lists")

    def look(self) -> bool:
        """Read what has changed. Returns whether somebody may be somebody else now."""
        has_changed = self._lists.look()
        for file in self._directories:
            file.look()
            if file.contents is not None and self._may_follow(file.contents[0]):
                self.directory, self.directory_data = file.contents
                has_changed = True
        return has_changed

    def judge(self, certificate: Certificate) -> Asker | Problem:
        """Who asks, or why they are not answered."""
        held = self._lists.contents
        return judge(certificate, self.directory, {} if held is None else held.lists, int(self._now_s()))

    @property
    def alarm(self) -> str:
        """Why nobody is answered, whoever they are, by which issuer; empty = all is well."""
        lists = {} if self._lists.contents is None else self._lists.contents.lists
        now_s = self._now_s()
        out = [name for name in self._names if name not in lists or now_s >= lists[name].ends_s]
        return f"nobody is answered: no revocation list in force of {', '.join(out)}" if out else ""

    def _may_follow(self, found: Directory) -> bool:
        # The delegate's is judged again at each look: its time, or this machine's clock, may have been wrong.
        held = self.directory
        return found.serial > held.serial and refusal(found, held, (int(self._now_s()),)) is None

    def _open_directory(self, data: bytes) -> tuple[Directory, bytes]:
        return open_directory(data, self._authority), data

    def _open_lists(self, data: bytes) -> _Lists:
        """Those that an issuer of nodes has signed; for others nobody comes here."""
        pems, rest = split_lists(data)
        if rest or not pems:
            raise ValueError("damaged")
        before = self._lists.contents
        numbers: dict[str, int] = {}
        lists: dict[str, Revoked] = {}
        for pem in pems:
            crl = x509.load_pem_x509_crl(pem)
            one = signed_list(pem, crl, self._issuers.get(crl.issuer))
            if one is None:
                continue
            name = crl.issuer.rfc4514_string()
            if name in lists or (before is not None and one.number < before.numbers.get(name, 0)):
                raise ValueError("a list is there twice, or older than the one before")
            numbers[name], lists[name] = one.number, Revoked(one.serials, int(one.ends_at.timestamp()))
        return _Lists(numbers, lists)


def who_is_who(configuration: Configuration) -> WhoIsWho:
    """By the files that a configuration names.

    Raises:
        ConfigError: one of them cannot be used.
    """
    town, at = configuration.file.town, configuration.at
    return WhoIsWho(
        configuration.authority,
        at(town.directory_file),
        at(town.delegated_file) if town.delegated_file else None,
        lists_file=at(town.lists_file),
        issuers=_certificates(at(town.issuers_file)),
    )


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as e:
        raise ConfigError(f"{path}: the issuers of nodes cannot be read: {e.strerror}") from e
    except ValueError as e:
        raise ConfigError(f"{path}: not PEM certificates") from e
