"""Tells people what concerns their account: on the page at their next sign-in, and by e-mail if there is a server."""

from __future__ import annotations

import logging
import smtplib
import threading

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from office.accounts.models import Account, Notice

logger = logging.getLogger(__name__)
_SENDER = threading.Semaphore(4)
"""Mails under way at once: a dead mail server must not gather threads."""


def tell(account: Account, text: str) -> None:
    """Tell a person, in the transaction of what happened.

    Args:
        account: whom.
        text: one or two sentences, at most 300 characters.
    """
    Notice.objects.create(account=account, text=text)
    send(account.email, "Your Watchlink account", f"{account.name},\n\n{text}\n")


def send(address: str, subject: str, text: str) -> None:
    """Send an e-mail once the transaction is done, in the background; without address or server, nothing."""
    if address and settings.EMAIL_HOST:
        transaction.on_commit(lambda: _send_later(address, subject, text))


def _send_later(address: str, subject: str, text: str) -> None:
    def deliver() -> None:
        try:
            send_mail(subject, text, None, [address])
        except (OSError, smtplib.SMTPException) as e:
            # Its text and traceback may hold addresses.
            logger.warning("an e-mail could not be sent: %s", type(e).__name__)
        finally:
            _SENDER.release()

    if _SENDER.acquire(blocking=False):
        threading.Thread(target=deliver, name="mail", daemon=True).start()
    else:
        logger.warning("an e-mail is not sent: the mail server does not keep up")
