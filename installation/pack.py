"""What the fleet hands over for central's machine: its folder, or the file that ``watchlink fleet pack`` made of it.

Of a fleet folder only ``directory.json``, ``claims.json``, ``release.json``, ``broker/``, ``central/`` and
``office/publisher/`` are read, and ``enrolment/`` if the fleet says that the service runs here. Nothing is taken that
could make a central: a pack with a private key of CA or authority is refused, except the nodes' issuer's in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from msgspec import Struct

from installation.authority import authority_of
from installation.errors import InstallError, PackError
from installation.places import BROKER, CENTRAL, DIRECTORY, ENROLMENT, ENROLMENT_OWN, OFFICE, OFFICE_DIRECTORY, Parts
from installation.private_keys import NODES_ISSUER, check_keys, public_part
from installation.revocation import crl_number_of, is_below, lists_begin_at, lists_end_at
from runtime.archive import ArchiveError, read_archive
from runtime.atomic import PRIVATE, PUBLIC
from wire.claims import ClaimsError, decode_claims
from wire.directory import Directory, open_directory
from wire.errors import DecodeError, ReleaseError, WireError
from wire.fleet_files import BESIDE_CENTRAL, ENROLMENT_FILES, ENROLMENT_FOLDER, RELEASE
from wire.ids import NodeId, parse_node
from wire.release import Release, open_release
from wire.signing import PublicKey

TOP: Final = "directory.json"
CLAIMS: Final = "claims.json"
"""For the enrolment service, once the fleet has made a claim. Nothing else here reads it."""
TOPS: Final = (TOP, CLAIMS, RELEASE)
"""Outside any folder."""
FOLDERS: Final = ("broker", "central", "office/publisher")
NEEDED: Final = (
    TOP,
    *("broker/mosquitto.conf", "broker/door.nft", "broker/acl", "broker/crl.pem"),
    *("broker/ca.pem", "broker/server.pem", "broker/server.key"),
    *("central/central.toml", "central/ca.pem", "central/client.pem", "central/client.key"),
    *("central/signing.key", "central/authority.pub"),
)
"""Besides: ``central/alerts.*`` and ``office/publisher/*``, where there are some."""
ISSUERS: Final = "broker/issuers.pem"
"""Whoever must have a revocation list. Without it, from before there were issuers, the one CA in ``ca.pem``."""
ENROLMENT_NAMES: Final = tuple(f"{ENROLMENT_FOLDER}/{name}" for name in ENROLMENT_FILES)
"""The enrolment service's, all or none."""
_PLACES: Final = dict(
    zip((*FOLDERS, ENROLMENT_FOLDER), (BROKER, CENTRAL, f"{OFFICE}/publisher", ENROLMENT_OWN), strict=True)
)
_PAIRS: Final = (
    ("broker/server", "broker/ca.pem"),
    ("central/client", "central/ca.pem"),
    ("central/alerts", "central/ca.pem"),
    # Central verifies it; the publisher's own ca.pem is for its clients.
    ("office/publisher/server", "central/ca.pem"),
)
"""Certificates (``.pem``, with their keys in ``.key``), and what each is from."""
FILES_MAX: Final = 100
BYTES_MAX: Final = 64 * 1024 * 1024


class Pack(Struct, frozen=True):
    """The files, and what they say of themselves.

    Attributes:
        files: name in the fleet folder → contents.
        authority: names the town.
        directory: in ``directory.json``.
        crl_number: of the revocation list.
        claims_number: of the open claims; 0 = there are none yet, or none that can be read.
        misfit: why the enrolment service's files are not taken, a sentence without a full stop; empty = they are, or
            there are none.
        release: what units are to run; ``None`` = nothing was published, or it is not taken.
        release_misfit: why it is not, likewise.
    """

    files: Mapping[str, bytes]
    authority: PublicKey
    directory: Directory
    crl_number: int
    claims_number: int = 0
    misfit: str = ""
    release: Release | None = None
    release_misfit: str = ""

    @property
    def reserved(self) -> frozenset[NodeId]:
        """The numbers that wait for their units."""
        try:
            return frozenset(parse_node(one.node) for one in decode_claims(self.files.get(CLAIMS, b"")).claims)
        except DecodeError:
            return frozenset()

    @property
    def enrols(self) -> bool:
        """Whether the enrolment service is to run beside central."""
        return ENROLMENT_NAMES[0] in self.files

    def placed(self, parts: Parts) -> dict[str, tuple[bytes, int]]:
        """Path on the machine → contents and mode. In the order of writing: what refuses comes first."""
        enrolment = {
            f"{ENROLMENT}/{name}": (self.files[name], PUBLIC) for name in (CLAIMS, TOP, RELEASE) if name in self.files
        }
        files: dict[str, tuple[bytes, int]] = {}
        for name in sorted(self.files.keys() - {CLAIMS, RELEASE}, key=_turn):
            if name == TOP:
                # Before central's: the service has signed for its nodes again before central forgets them.
                files |= enrolment
            files[_place(name)] = self.files[name], _mode(name)
        files[OFFICE_DIRECTORY] = (self.files[TOP], PUBLIC)
        files[f"{OFFICE}/authority.pub"] = (self.files["central/authority.pub"], PUBLIC)
        is_here = {OFFICE: parts.office, ENROLMENT: parts.enrolment}
        return {
            path: file
            for path, file in files.items()
            if next((here for folder, here in is_here.items() if path.startswith(f"{folder}/")), parts.central)
        }


def read_pack(source: Path | BinaryIO, now: datetime | None = None) -> Pack:
    """Read and check it.

    Args:
        source: a fleet folder, or a file of ``watchlink fleet pack``, or a stream of such a file's contents.
        now: aware; ``None`` = the system's clock.

    Raises:
        PackError: it cannot be read, something is missing, does not belong together, has expired, or must not be here.
    """
    named = str(source) if isinstance(source, Path) else "What was sent"
    try:
        files = dict(_folder(source) if isinstance(source, Path) and source.is_dir() else _archive(source, named))
    except OSError as e:
        raise PackError(f"{named} cannot be read: {e.strerror}.") from e
    missing = [name for name in NEEDED if name not in files]
    if missing:
        raise PackError(
            f"{named} lacks {', '.join(missing)}. Give the fleet folder, or a file made by 'watchlink fleet pack'."
        )
    try:
        authority = authority_of(files["central/authority.pub"])
        directory = open_directory(files[TOP], authority)
        check_keys(files, directory, authority)
        misfit = _misfit_of_enrolment(files)
        if misfit:
            files = {name: data for name, data in files.items() if name not in ENROLMENT_NAMES}
        release, release_misfit = _release_of(files, authority)
        if release is None:
            files.pop(RELEASE, None)
        crl_number = _check_certificates(files, now or datetime.now(UTC))
    except (WireError, ValueError, UnsupportedAlgorithm) as e:
        if isinstance(e, PackError):
            raise
        raise PackError(f"{named} does not hold what it should: {e}.") from e
    _check_configuration(files["broker/mosquitto.conf"].decode("utf-8", "replace"))
    claims_number = claims_number_of(files.get(CLAIMS))
    return Pack(files, authority, directory, crl_number, claims_number, misfit, release, release_misfit)


def _release_of(files: Mapping[str, bytes], authority: PublicKey) -> tuple[Release | None, str]:
    """Nothing of it may keep a revocation from the broker, either."""
    if RELEASE not in files:
        return None, ""
    try:
        return open_release(files[RELEASE], authority), ""
    except ReleaseError as e:
        return None, str(e)


def claims_number_of(data: bytes | None) -> int:
    """Of ``claims.json``; 0 = there is none, or none that can be read."""
    try:
        return 0 if data is None else decode_claims(data).number
    except ClaimsError:
        return 0


def _folder(town: Path) -> Iterator[tuple[str, bytes]]:
    for name in TOPS:
        if (town / name).is_file():
            yield name, (town / name).read_bytes()
    for folder in FOLDERS:
        if (town / folder).is_dir():
            for path in sorted((town / folder).iterdir()):
                if path.is_file() and _is_wanted(f"{folder}/{path.name}"):
                    yield f"{folder}/{path.name}", path.read_bytes()
    if (town / ENROLMENT_FOLDER / BESIDE_CENTRAL).exists():
        for name in ENROLMENT_NAMES:
            if (town / name).is_file():
                yield name, (town / name).read_bytes()


def _archive(file: Path | BinaryIO, named: str) -> Iterator[tuple[str, bytes]]:
    try:
        for name, contents in read_archive(file, files_max=FILES_MAX, bytes_max=BYTES_MAX):
            if name not in TOPS and not _is_wanted(name):
                raise PackError(f"{named} is no file of 'watchlink fleet pack': it holds {name!r}.")
            yield name, contents
    except ArchiveError as e:
        raise PackError(f"{named} is no file of 'watchlink fleet pack': it {e}.") from e


def _is_wanted(name: str) -> bool:
    if name in ENROLMENT_NAMES:
        return True
    path = PurePosixPath(name)
    is_named = str(path) == name and path.name[:1] != "." and path.suffix not in (".pid", ".log")
    return is_named and str(path.parent) in FOLDERS


def _place(name: str) -> str:
    folder, _, rest = name.rpartition("/")
    return f"{_PLACES[folder]}/{rest}" if folder else DIRECTORY


def _mode(name: str) -> int:
    return PRIVATE if name.endswith(".key") or name == "broker/acl" else PUBLIC


def _turn(name: str) -> tuple[bool, bool, str]:
    # Before anything else, what silences and refuses the revoked. A key before the certificate that names it.
    return name != "broker/acl", name != "broker/crl.pem", name


def _misfit_of_enrolment(files: Mapping[str, bytes]) -> str:
    """Nothing of it may keep a revocation from the broker: the service goes on with what it has."""
    here = [name for name in ENROLMENT_NAMES if name in files]
    if not here:
        return ""
    if len(here) < len(ENROLMENT_NAMES):
        return f"{', '.join(name for name in ENROLMENT_NAMES if name not in files)} missing"
    issuer = x509.load_pem_x509_certificate(files[f"{NODES_ISSUER}.pem"])
    if ISSUERS not in files or issuer not in x509.load_pem_x509_certificates(files[ISSUERS]):
        return "its issuer was cut off or is another town's"
    try:
        _check_pair(files, "enrolment/server", "enrolment/ca.pem")
    except PackError as e:
        return str(e).rstrip(".")
    return ""


def _check_pair(files: Mapping[str, bytes], certificate: str, ca: str) -> None:
    own = x509.load_pem_x509_certificates(files[f"{certificate}.pem"])
    key = serialization.load_pem_private_key(files.get(f"{certificate}.key", b""), password=None)
    if public_part(own[0].public_key()) != public_part(key.public_key()):
        raise PackError(f"{certificate}.key is not the key of {certificate}.pem.")
    if not is_below(own, x509.load_pem_x509_certificates(files[ca])):
        raise PackError(f"{certificate}.pem is not from the CA in {ca}.")


def _check_certificates(files: Mapping[str, bytes], now: datetime) -> int:
    for certificate, ca in _PAIRS:
        if f"{certificate}.pem" in files:
            _check_pair(files, certificate, ca)
    roots = x509.load_pem_x509_certificates(files["broker/ca.pem"])
    issuers = x509.load_pem_x509_certificates(files[ISSUERS]) if ISSUERS in files else roots
    if not all(is_below([one], roots) for one in issuers):
        raise PackError(f"{ISSUERS} is not from the CA in broker/ca.pem.")
    try:
        ends = lists_end_at(files["broker/crl.pem"], issuers)
        begins = {"broker/crl.pem": lists_begin_at(files["broker/crl.pem"], issuers)}
    except InstallError as e:
        raise PackError(f"broker/crl.pem {e}.") from e
    if ends <= now:
        raise PackError(
            "The revocation list has expired: with it the broker refuses everybody. On the fleet's machine run"
            " 'watchlink fleet renew-crl', then pack again."
        )
    pairs = (f"{certificate}.pem" for certificate, _ in _PAIRS if f"{certificate}.pem" in files)
    begins |= {name: x509.load_pem_x509_certificates(files[name])[0].not_valid_before_utc for name in pairs}
    for name, begins_at in begins.items():
        if now < begins_at:
            raise PackError(
                f"{name} is not valid before {begins_at:%Y-%m-%d}: with it nobody could connect. The clock here is"
                " behind, or that of the fleet's machine was ahead: set it right ('timedatectl'). Then run 'watchlink"
                " fleet renew --dir TOWN --due' there: it makes new ones, and brings them."
            )
    return crl_number_of(files["broker/crl.pem"])


def _check_configuration(text: str) -> None:
    for wanted in (f"cafile {BROKER}/ca.pem", "user mosquitto"):
        if wanted not in text.splitlines():
            raise PackError(
                f"broker/mosquitto.conf has no line {wanted!r}: this town was made for a broker that runs elsewhere."
                f" 'watchlink fleet init' wants --broker-folder {BROKER} --broker-user mosquitto."
            )
