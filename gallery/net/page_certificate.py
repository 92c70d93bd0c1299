"""Keeps the page's certificate good: asks the machine port at the start, when names change, and from half of its life.

A folder of its own: ``page.key`` is made here and never leaves it, ``page.pem`` is the certificate with its issuer
after it, ``web-ca.pem`` the root that tablets have to trust. Whoever serves the page loads them again when told.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from gallery.net.connection import Office, OfficeConnection
from gallery.net.errors import EndedError, OfficeError
from gallery.net.own_addresses import own_addresses
from gallery.net.pauses import pause_s
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from wire.errors import DecodeError
from wire.gallery_paths import PAGE_CERTIFICATE_PATH
from wire.ids import NodeId
from wire.page_certificate import ANSWER_BYTES_MAX, Address, PageCertificate, decode_certificate, page_name

logger = logging.getLogger(__name__)

KEY_FILE: Final = "page.key"
CERTIFICATE_FILE: Final = "page.pem"
ROOT_FILE: Final = "web-ca.pem"
LOOK_S: Final = 60.0
"""Between two looks at the machine's addresses."""
_FAULTS: Final = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises of keys and certificates that are damaged, or unlike ours."""


class Held(Struct, frozen=True):
    """A certificate that is here.

    Attributes:
        names: names and addresses, as text.
        begins_s, ends_s: Unix time.
    """

    names: frozenset[str]
    begins_s: int
    ends_s: int


def is_due(held: Held | None, wanted: Sequence[str], now_s: int | None) -> bool:
    """Whether another certificate is to be asked for.

    Args:
        held: ``None`` = there is none that can be used.
        wanted: names and addresses that the page is reached by. Those that are gone do no harm.
        now_s: Unix time; ``None`` = it is not proven, and ends nothing.
    """
    if held is None or not held.names.issuperset(wanted):
        return True
    return now_s is not None and now_s >= (held.begins_s + held.ends_s) // 2


class PageCertificates:
    """The thread that asks.

    Args:
        office: whom.
        node: who we are.
        folder: for the three files; made if missing.
        now_s: Unix time, if it is proven.
        on_new: called on the thread when there is another certificate.
        addresses: that the machine has now.
        pause: seconds to wait after so many failures, and what the office asks for.
    """

    def __init__(
        self,
        office: Office,
        node: NodeId,
        folder: Path,
        *,
        now_s: Callable[[], int | None],
        on_new: Callable[[], None],
        addresses: Callable[[], Sequence[Address]] = own_addresses,
        pause: Callable[[int, int], float] = pause_s,
    ) -> None:
        self._lock = threading.RLock()
        self._connection = OfficeConnection(office, self._lock)
        self._name = page_name(node)
        self._folder = folder
        self._now_s = now_s
        self._on_new = on_new
        self._addresses = addresses
        self._pause = pause
        self._stopping = threading.Event()
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="gallery page certificate", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Ask nothing more; returns whether the thread has ended in time."""
        self._stopping.set()
        with self._lock:
            self._connection.end()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        wait_s = 0.0
        while not self._stopping.wait(wait_s):
            try:
                self._look()
                failures, wait_s = 0, LOOK_S
            except EndedError:
                break
            except OfficeError as e:
                failures += 1
                wait_s = self._pause(failures, e.retry_s)
                self._tell(str(e))
            except (DecodeError, ValueError, OSError) as e:
                failures += 1
                wait_s = self._pause(failures, 0)
                self._tell(f"{type(e).__name__}: {e}")
            except Exception:
                # Without this thread the page's certificate would end one day, and nobody had been told.
                failures += 1
                wait_s = self._pause(failures, 0)
                logger.exception("the page has no new certificate")
        self._connection.close()

    def _look(self) -> None:
        addresses = self._addresses()
        wanted = (self._name, *map(str, addresses))
        key = self._own_key()
        if not is_due(self._held(key), wanted, self._now_s()):
            return
        body = _request(key, self._name, addresses)
        said = self._connection.post(PAGE_CERTIFICATE_PATH, body, ANSWER_BYTES_MAX, lambda: not self._stopping.is_set())
        answer = decode_certificate(said)
        _check(answer, key, wanted)
        write_atomic(self._folder / ROOT_FILE, answer.root.encode(), PUBLIC)
        write_atomic(self._folder / CERTIFICATE_FILE, answer.chain.encode(), PUBLIC)
        self._told = ""
        self._on_new()

    def _own_key(self) -> ec.EllipticCurvePrivateKey:
        """Made at the first look, and whenever it cannot be read."""
        path = self._folder / KEY_FILE
        try:
            found = serialization.load_pem_private_key(path.read_bytes(), password=None)
            if isinstance(found, ec.EllipticCurvePrivateKey) and isinstance(found.curve, ec.SECP256R1):
                return found
        except (FileNotFoundError, *_FAULTS):
            pass
        key = ec.generate_private_key(ec.SECP256R1())
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kind = serialization.PrivateFormat.PKCS8
        data = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
        write_atomic(path, data, PRIVATE)
        return key

    def _held(self, key: ec.EllipticCurvePrivateKey) -> Held | None:
        """``None`` also if what is here is damaged: then another one takes its place."""
        try:
            chain, root = ((self._folder / name).read_text("ascii") for name in (CERTIFICATE_FILE, ROOT_FILE))
            leaf = _check(PageCertificate(chain=chain, root=root), key)
            names = _names(leaf)
        except (OSError, ValueError):
            return None
        begins_s, ends_s = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
        return Held(names, int(begins_s), int(ends_s))

    def _tell(self, fault: str) -> None:
        if fault != self._told:
            self._told = fault
            logger.warning("the page has no new certificate: %s", fault)


def _request(key: ec.EllipticCurvePrivateKey, name: str, addresses: Sequence[Address]) -> bytes:
    names: list[x509.GeneralName] = [x509.DNSName(name), *map(x509.IPAddress, addresses)]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _check(answer: PageCertificate, key: ec.EllipticCurvePrivateKey, wanted: Sequence[str] = ()) -> x509.Certificate:
    """The page's certificate. What would serve nobody is not put in the place of what serves.

    Raises:
        ValueError: it is damaged, for another key or other names, or its root has not signed it.
    """
    try:
        leaf, issuer = x509.load_pem_x509_certificates(answer.chain.encode())
        leaf.verify_directly_issued_by(issuer)
        issuer.verify_directly_issued_by(x509.load_pem_x509_certificate(answer.root.encode()))
        is_ours = leaf.public_key() == key.public_key() and _names(leaf).issuperset(wanted)
    except _FAULTS as e:
        raise ValueError(f"{type(e).__name__}: {e}") from e
    if not is_ours:
        raise ValueError("the office signed another key, or other names")
    return leaf


def _names(leaf: x509.Certificate) -> frozenset[str]:
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    kinds = ipaddress.IPv4Address | ipaddress.IPv6Address
    addresses = (one.value for one in found if isinstance(one, x509.IPAddress) and isinstance(one.value, kinds))
    return frozenset((*found.get_values_for_type(x509.DNSName), *map(str, addresses)))
