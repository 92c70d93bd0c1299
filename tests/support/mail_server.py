"""A mail server on loopback: real SMTP with STARTTLS and a login, and none of the real companies."""

from __future__ import annotations

import asyncio
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.fleet_broker import DEADLINE_S, free_port

PASSWORD: Final = "secret-word"


class MailServer:
    """Whoever logs in may send. End it with :meth:`close`.

    Args:
        tls: its certificate; ``None`` = it speaks plain SMTP and asks for no login.

    Attributes:
        mails: what it took: to whom, and the mail.
        answer: what it says to a recipient; empty = it never says anything.
        tries: how many recipients it was asked to take.
        logins: the passwords that it was shown.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.answer = "250 OK"
        self.tries = 0
        self.logins: list[bytes] = []
        self.port = free_port()
        self._server = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ready_timeout=DEADLINE_S,
            tls_context=tls,
            require_starttls=tls is not None,
            auth_required=tls is not None,
            authenticator=self._log_in,
        )
        self._server.start()

    def close(self) -> None:
        """End it; whoever hangs is let go."""
        self._server.stop()

    async def handle_RCPT(  # noqa: N802 - the library's name, here and below
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.tries += 1
        if not self.answer:
            await asyncio.Event().wait()
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"

    def _log_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        self.logins.append(given.password)
        return AuthResult(success=given.password == PASSWORD.encode(), handled=False)
