"""The notifier sends e-mail by a real mail server's protocol on loopback (C8)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.stand_in_phones import StandInPush
from tests.support.mail_server import PASSWORD, MailServer
from tests.support.notifier_program import NotifierProgram, mail_to, push_to, write_notifier
from wire.notices import Delivered, Failed, Hello, Notice, Reason

pytestmark = pytest.mark.integration

SHE = "j.patel@police.example"
SAID = "Watchlink: an alert waits. https://central.example/wake/Zk3vQ0p1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notifier")


@pytest.fixture(scope="module")
def tls(push_service: StandInPush) -> ssl.SSLContext:
    """The push service's certificate: it is loopback's."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(push_service.ca_file, push_service.ca_file.with_suffix(".key"))
    return tls


@pytest.fixture
def server(tls: ssl.SSLContext) -> Iterator[MailServer]:
    server = MailServer(tls)
    yield server
    server.close()


@contextmanager
def notifier_of(folder: Path, push_service: StandInPush, address: str) -> Iterator[NotifierProgram]:
    (folder / "mail.url").write_text(address)
    notifier = NotifierProgram(write_notifier(folder, push_service, '[email]\ngateway_file = "mail.url"\n'))
    try:
        yield notifier
    finally:
        assert 0 == notifier.stop()


@pytest.fixture
def notifier(
    tmp_path: Path, push_service: StandInPush, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NotifierProgram]:
    """It believes the mail server, as it believes any that this machine's authorities vouch for."""
    monkeypatch.setenv("SSL_CERT_FILE", str(push_service.ca_file))
    address = f"mailtos://watch:{PASSWORD}@127.0.0.1:{server.port}?from=watch@town.example&to={{to}}"
    with notifier_of(tmp_path, push_service, address) as notifier:
        yield notifier


def failed(notifier: NotifierProgram, notice: Notice) -> Failed:
    """What became of it, told without a secret."""
    notifier.order(notice)
    result = notifier.result(notice)
    assert isinstance(result, Failed)
    said = result.words + notifier.log.read_text()
    assert [] == [word for word in ("j.patel", PASSWORD) if word in said]
    return result


def test_mail_says_that_an_alert_waits_and_where_to_look(notifier: NotifierProgram, server: MailServer) -> None:
    hello = next(line for line in notifier.said if isinstance(line, Hello))
    notice = mail_to(SHE)

    notifier.order(notice)

    assert Delivered(request=notice.request) == notifier.result(notice)
    ((to, mail),) = server.mails
    assert ([SHE], "Watchlink", "text/plain") == (to, mail["Subject"], mail.get_content_type())
    assert SAID == mail.get_content().strip()
    assert "watch@town.example" in mail["From"]
    assert ("push", "email") == hello.ways


@pytest.mark.parametrize(
    ("answer", "reason", "tries"),
    [("550 No such user", Reason.REFUSED, 1), ("451 Try again later", Reason.TOO_MANY, 4)],
)
def test_mail_server_that_says_no_is_reported_in_its_own_words(
    notifier: NotifierProgram, server: MailServer, answer: str, reason: Reason, tries: int
) -> None:
    """SMTP counts the other way round than HTTP: 4xx may be over in a moment, 5xx is for good (RFC 5321, 4.2.1)."""
    server.answer = answer

    result = failed(notifier, mail_to(SHE))

    assert (reason, tries) == (result.reason, server.tries)
    assert answer in result.words


def test_mail_server_that_hangs_holds_up_no_push(
    notifier: NotifierProgram, push_service: StandInPush, server: MailServer
) -> None:
    server.answer = ""
    phone = push_service.phone()
    push = push_to(phone)
    mails = [mail_to(f"member{number}@town.example") for number in range(20)]

    notifier.order(*mails, push)

    assert Delivered(request=push.request) == notifier.result(push)
    assert Reason.NO_ANSWER == failed(notifier, mails[0]).reason


def test_wrong_password_is_said_and_not_taken_for_a_server_that_is_away(
    tmp_path: Path, push_service: StandInPush, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(push_service.ca_file))
    address = f"mailtos://watch:old-word@127.0.0.1:{server.port}?from=watch@town.example&to={{to}}"
    with notifier_of(tmp_path, push_service, address) as notifier:
        result = failed(notifier, mail_to(SHE))

    assert (Reason.REFUSED, {b"old-word"}) == (result.reason, {*server.logins})
    assert "535" in result.words


def test_mail_server_that_is_not_itself_is_told_no_password_and_no_address(
    tmp_path: Path, push_service: StandInPush, server: MailServer
) -> None:
    address = f"mailtos://watch:{PASSWORD}@127.0.0.1:{server.port}?from=watch@town.example&to={{to}}"
    with notifier_of(tmp_path, push_service, address) as notifier:
        result = failed(notifier, mail_to(SHE))

    assert (Reason.UNREACHED, [], 0) == (result.reason, server.logins, server.tries)
    assert "certificate" in result.words


def test_mail_server_of_this_machine_may_be_spoken_to_plainly(tmp_path: Path, push_service: StandInPush) -> None:
    server = MailServer()
    try:
        with notifier_of(
            tmp_path, push_service, f"mailto://127.0.0.1:{server.port}?from=watch@town.example&to={{to}}"
        ) as notifier:
            notice = mail_to(SHE)
            notifier.order(notice)

            assert Delivered(request=notice.request) == notifier.result(notice)
        assert [[SHE]] == [to for to, _ in server.mails]
    finally:
        server.close()
