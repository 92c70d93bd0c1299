"""The composition root of the enrolment service: files, register, issuer, server."""

from __future__ import annotations

import logging
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from enrolment.config import Configuration, authority_of
from enrolment.handlers.ca_certificates import CaCertificates
from enrolment.handlers.enrolling import Enrolling
from enrolment.handlers.releasing import Releasing
from enrolment.handlers.renewing import Renewing
from enrolment.issuer import NodesIssuer
from enrolment.publishing import Publishing
from enrolment.register import Register, RegisterError
from enrolment.releases import Releases
from runtime.config import ConfigError
from runtime.key_file import read_key
from runtime.logs import FactLog
from runtime.service import Service
from runtime.stop_request import StopRequest
from runtime.tls import server_context
from runtime.watched_file import WatchedFile
from runtime.web_server import WebServer, listen, url_of
from wire.claims import CLAIMS_BYTES_MAX, OpenClaims, decode_claims
from wire.enrolment import CA_CERTIFICATES_PATH, ENROL_PATH
from wire.release import BUNDLE_PATH, RELEASE_PATH
from wire.renewal_request import PATH as RENEWAL_PATH
from wire.signing import SigningKey

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.25
"""Between two looks at the fleet's files: a new directory of the authority's is signed again at once."""


class EnrolmentService:
    """The whole program: construct, :meth:`run`.

    Raises:
        ConfigError: a file cannot be used.
        RegisterError: the register cannot be used.
        OSError: the port is taken, or the disk refuses.
    """

    def __init__(self, configuration: Configuration, facts: FactLog, service: Service) -> None:
        self._facts = facts
        self._service = service
        self._told = ""
        file, at = configuration.file, configuration.at
        authority = authority_of(configuration)
        delegate = SigningKey(read_key(at(file.directory.delegate_key_file), "delegate's key"))
        issuer = NodesIssuer(at(file.issuer.certificate_file), at(file.issuer.key_file))
        try:
            roots = at(file.issuer.roots_file).read_bytes()
            ca_certificates = CaCertificates(roots)
        except OSError as e:
            raise ConfigError(f"{e.filename}: the roots cannot be read: {e.strerror}") from e
        except ValueError as e:
            raise ConfigError(f"{at(file.issuer.roots_file)}: not PEM certificates") from e
        at(file.state_dir).mkdir(mode=0o700, exist_ok=True)
        self._register = Register(at(file.state_dir) / "register.sqlite3", authority)
        self._publishing = Publishing(
            at(file.directory.file),
            at(file.directory.changed_file),
            authority=authority,
            delegate=delegate,
            register=self._register,
        )
        self._publishing.look()
        self._claims: WatchedFile[OpenClaims] = WatchedFile(
            at(file.claims_file), decode_claims, CLAIMS_BYTES_MAX, _log_fault
        )
        enrolling = Enrolling(
            claims=self._claims,
            register=self._register,
            publishing=self._publishing,
            issuer=issuer,
            roots=roots.decode("ascii"),
            broker=(file.broker.host, file.broker.port),
            facts=facts,
        )
        renewing = Renewing(register=self._register, publishing=self._publishing, issuer=issuer, facts=facts)
        # Beside the claims, for they come the same way.
        self._releases = Releases(at(file.claims_file).parent, authority, facts)
        releasing = Releasing(self._releases, file.web.bundle_kilobytes_per_s * 1000)
        self.app = Starlette(
            routes=[
                Route(RELEASE_PATH, releasing.release, methods=["GET"]),
                Route(f"{BUNDLE_PATH}{{sha256}}", releasing.bundle, methods=["GET"]),
                Route(CA_CERTIFICATES_PATH, ca_certificates.answer, methods=["GET"]),
                Route(ENROL_PATH, enrolling.answer, methods=["POST"]),
                Route(RENEWAL_PATH, renewing.answer, methods=["POST"]),
            ]
        )
        tls = server_context(at(file.web.certificate_file), at(file.web.key_file))
        self._listener = listen(file.web.host, file.web.port, has_tls=True)
        self._web = WebServer(self.app, self._listener, tls=tls)
        facts.write("listening", url=url_of(self._listener, has_tls=True))

    def run(self, should_stop: StopRequest) -> None:
        """Serve until ``should_stop`` is set.

        Raises:
            RuntimeError: the server has ended by itself.
        """
        self._web.start_thread()
        self._releases.start()
        self._service.ready()
        try:
            self._watch(should_stop)
        finally:
            self._releases.stop()
        self._service.stopping()
        self._web.stop()
        self._web.join_thread()
        self._register.close()

    def _watch(self, should_stop: StopRequest) -> None:
        said = None
        while not should_stop.wait(LOOK_S):
            self.look()
            status = self._publishing.refusal() or self._publishing.fault or "open"
            if status != said:
                self._service.status(status)
                self._facts.write("enrolment", status=status)
                said = status
            self._service.watchdog()
            if self._web.join_thread(0):
                raise RuntimeError("the server has ended")

    def close(self) -> None:
        """Of one that does not run."""
        self._listener.close()
        self._register.close()

    def look(self) -> None:
        """Sign the authority's directory again if there is a new one."""
        try:
            if self._publishing.look():
                self._facts.write("directory published")
            self._told = ""
        except (OSError, RegisterError) as e:
            # At each look, four times a second, it would fill the disk that refuses.
            why = getattr(e, "strerror", None) or str(e)
            if why != self._told:
                logger.error("the directory cannot be published: %s", why)  # noqa: TRY400 - the sentence says it all
            self._told = why


def _log_fault(fault: str) -> None:
    if fault:
        logger.warning("%s", fault)
