"""People are told on the page always, and by e-mail if there is a server."""

from __future__ import annotations

import smtplib
import threading

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from office.accounts import acts
from office.accounts.models import Account, Notice, Scheme
from office.accounts.telling import tell

pytestmark = pytest.mark.django_db


def _wait_for_mail() -> None:
    for thread in threading.enumerate():
        if thread.name == "mail":
            thread.join()


def test_without_a_mail_server_the_page_tells(
    co_ordinator: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    co_ordinator.email = "cora@example.org"
    with django_capture_on_commit_callbacks(execute=True) as after:
        tell(co_ordinator, "Something happened.")

    assert after == []
    assert Notice.objects.get(account=co_ordinator).text == "Something happened."


def test_with_a_mail_server_an_invitation_goes_by_mail_too(
    co_ordinator: Account, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    with django_capture_on_commit_callbacks(execute=True):
        _, link = acts.invite(
            co_ordinator, name="Ann", email="ann@example.org", role="pcso", schemes=list(Scheme.objects.all())
        )
    _wait_for_mail()

    assert [sent.to for sent in mail.outbox] == [["ann@example.org"]]
    assert link in mail.outbox[0].body


def test_a_dead_mail_server_stops_nothing(
    co_ordinator: Account,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object) -> int:
        raise smtplib.SMTPRecipientsRefused({"cora@example.org": (550, b"no such mailbox")})

    settings.EMAIL_HOST = "mail.example.org"
    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    co_ordinator.email = "cora@example.org"
    for _ in range(6):
        with django_capture_on_commit_callbacks(execute=True):
            tell(co_ordinator, "Something happened.")
        _wait_for_mail()

    assert len(caplog.records) == 6
    assert "an e-mail could not be sent: SMTPRecipientsRefused" in caplog.text
    assert "cora@" not in caplog.text
    assert Notice.objects.filter(account=co_ordinator).count() == 6
