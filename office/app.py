"""``watchlink office serve``: the composition root of the pages."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from office.backup.in_use import in_use
from office.config import CONFIG_VARIABLE, Configuration, load_configuration
from office.public_page import PublicPage
from runtime.backup_file import BackupError
from runtime.config import ConfigError
from runtime.key_file import read_key
from runtime.loading import loading
from runtime.logs import FactLog, set_up_logging
from runtime.service import Service
from runtime.stop_request import StopRequest, stop_request
from runtime.web_connections import Listener
from runtime.web_server import WebServer, listen

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Scope

logger = logging.getLogger(__name__)

STATUS_FAILED: Final = 1
STATUS_CONFIG: Final = 2
UPLOAD_PATHS: Final = frozenset({"/premises/import/", "/individuals/NUMBER/photographs/add/", "/cases/nominate/"})
DIRECTORY_LOOK_S: Final = 5.0
SETTLE_EVERY_S: Final = 60.0
TIDY_EVERY_S: Final = 86_400.0
_HERE: Final = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns 0; 1 if it cannot go on; 2 for a configuration that cannot be used."""
    parser = argparse.ArgumentParser(prog="watchlink office serve", description="Run the office's pages.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="office.toml")
    given = parser.parse_args(arguments)
    set_up_logging()
    should_stop = stop_request()
    # Imported late, so that a signal during these slow imports is not lost.
    import django  # noqa: PLC0415

    from office.readiness import NotReadyError  # noqa: PLC0415

    try:
        configuration = load_configuration(given.config)
        _check_keys(configuration)
        os.environ[CONFIG_VARIABLE] = str(configuration.file)
        os.environ["DJANGO_SETTINGS_MODULE"] = "office.settings"
        with loading():
            django.setup()
        with in_use(configuration):
            office = Office(configuration, FactLog(), Service())
            return 0 if office.run(should_stop) else STATUS_FAILED
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except (NotReadyError, BackupError, OSError) as e:
        return _refuse(e, STATUS_FAILED)


class Office:
    """The whole program: construct, :meth:`run`.

    Raises:
        NotReadyError: the database is missing, older than this program, or does not protect its audit.
        ConfigError: a TLS file cannot be used.
        OSError: the port is taken.
    """

    def __init__(self, configuration: Configuration, facts: FactLog, service: Service) -> None:
        from office.readiness import check_database  # noqa: PLC0415
        from runtime.tls import server_context  # noqa: PLC0415

        self._configuration = configuration
        self._facts = facts
        self._service = service
        check_database(configuration)
        tls = None
        if configuration.certificate_file is not None and configuration.key_file is not None:
            tls = server_context(configuration.certificate_file, configuration.key_file)
        web, public = configuration.web, configuration.public
        listener = _listener("the pages", web.host, web.port, has_tls=tls is not None)
        self._port = listener.getsockname()[1]
        self._web = WebServer(
            _application(web.workers, configuration.inter_font_dir), listener, tls=tls, has_lifespan=False
        )
        self._public_page = PublicPage()
        self._public: WebServer | None = None
        if public.host:
            open_to_all = _listener("the public page", public.host, public.port, has_tls=tls is not None)
            self._public_port = open_to_all.getsockname()[1]
            self._public = WebServer(self._public_page, open_to_all, tls=tls, has_lifespan=False)
        self._housekeeping = _Housekeeping(configuration, self._public_page)

    def run(self, should_stop: StopRequest) -> bool:
        """Serve until ``should_stop`` is set. Returns whether it ended because it was asked to."""
        self._web.start_thread()
        scheme = "https" if self._configuration.has_tls else "http"
        self._facts.write("listening", url=f"{scheme}://{self._configuration.web.names[0]}:{self._port}/")
        if self._public is not None:
            self._public.start_thread()
            self._facts.write("public", url=f"{scheme}://{self._configuration.web.names[0]}:{self._public_port}/")
        self._service.ready()
        is_well = True
        while is_well and not should_stop.wait(0.2):
            self._service.watchdog()
            self._housekeeping.look()
            is_well = not any(server.join_thread(0) for server in self._servers())
        if not is_well:
            logger.error("the pages' server has ended")
        self._service.stopping()
        for server in self._servers():
            server.stop()
            server.join_thread()
        return is_well

    def _servers(self) -> list[WebServer]:
        return [self._web] if self._public is None else [self._web, self._public]


class _Housekeeping:
    """Takes over schemes and the public page's texts within seconds, ends votes and exclusions, tidies once a day."""

    def __init__(self, configuration: Configuration, public_page: PublicPage) -> None:
        self._configuration = configuration
        self._public_page = public_page
        self._seen: tuple[int, int] | None = None
        self._look_at_s = self._settle_at_s = self._tidy_at_s = 0.0

    def look(self) -> None:
        """Called often; does something now and then. Never raises for what a disk or database does."""
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + DIRECTORY_LOOK_S
        from django.db import DatabaseError, close_old_connections  # noqa: PLC0415
        from django.utils import timezone  # noqa: PLC0415

        from office.accounts.tidying import tidy  # noqa: PLC0415
        from office.backup.aside import forget_set_aside  # noqa: PLC0415
        from office.breaches.forgetting import forget_copies, forget_unknown  # noqa: PLC0415
        from office.exclusions.due import settle  # noqa: PLC0415
        from office.exclusions.rules.period import day_of  # noqa: PLC0415
        from office.exclusions.terms import public_texts  # noqa: PLC0415
        from office.founding import read_schemes  # noqa: PLC0415
        from office.people.forgetting import forget_everywhere  # noqa: PLC0415
        from office.people.photographs import tidy_photographs  # noqa: PLC0415
        from office.people.retention import erase_what_is_due, is_held  # noqa: PLC0415
        from office.rota.acts import tidy_rota  # noqa: PLC0415
        from office.staff.acts import tidy_staff  # noqa: PLC0415
        from wire.errors import DirectoryError  # noqa: PLC0415

        try:
            found = self._configuration.directory_file.stat()
            if (found.st_mtime_ns, found.st_ino) != self._seen:
                read_schemes(self._configuration)
                self._seen = (found.st_mtime_ns, found.st_ino)
            if now_s >= self._settle_at_s:
                self._settle_at_s = now_s + SETTLE_EVERY_S
                settle()
            self._public_page.schemes = public_texts()
            if now_s >= self._tidy_at_s:
                self._tidy_at_s = now_s + TIDY_EVERY_S
                tidy()
                now = timezone.now()
                erase_what_is_due(now)
                tidy_photographs()
                forget_everywhere(now)
                if not is_held(day_of(now)):
                    forget_unknown(now)
                    forget_copies(now)
                    tidy_staff(now, self._configuration.staff.kept_days)
                    tidy_rota(now)
                    forget_set_aside(self._configuration, now)
        except (OSError, ConfigError, DirectoryError) as e:
            self._seen = None
            logger.warning("the schemes stay as they are: %s", e)
        except DatabaseError as e:
            logger.warning("the database does not answer: %s", e)
        finally:
            close_old_connections()


def _listener(whose: str, host: str, port: int, *, has_tls: bool) -> Listener:
    try:
        return listen(host, port, has_tls=has_tls)
    except OSError as e:
        raise OSError(f"{whose} cannot listen on {host} port {port}: {e.strerror}") from e


async def is_signed_in(scope: Scope) -> bool:
    """Whether a request comes from a session that somebody has signed in to. Their rights are the pages' to check.

    Raises:
        office.whole_body.NotKnownError: the database does not answer.
    """
    from asgiref.sync import sync_to_async  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415
    from starlette.requests import HTTPConnection  # noqa: PLC0415

    key = HTTPConnection(scope).cookies.get(settings.SESSION_COOKIE_NAME)
    return key is not None and await sync_to_async(_has_account, thread_sensitive=False)(key)


def _has_account(session_key: str) -> bool:
    from importlib import import_module  # noqa: PLC0415

    from django.conf import settings  # noqa: PLC0415
    from django.contrib.auth import SESSION_KEY  # noqa: PLC0415
    from django.db import close_old_connections  # noqa: PLC0415

    from office.faults import DATABASE_AWAY  # noqa: PLC0415
    from office.whole_body import NotKnownError  # noqa: PLC0415

    try:
        return SESSION_KEY in import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    except DATABASE_AWAY as e:
        raise NotKnownError("The office’s database did not answer. Send the file again in a minute.") from e
    finally:
        close_old_connections()


def _application(workers: int, inter_font_dir: Path) -> ASGIApp:
    from a2wsgi import WSGIMiddleware  # noqa: PLC0415
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.routing import Mount  # noqa: PLC0415
    from starlette.staticfiles import StaticFiles  # noqa: PLC0415

    from office.whole_body import WholeBody  # noqa: PLC0415
    from office.wsgi import application  # noqa: PLC0415

    # A page waits in the queue until the reader has taken it, instead of holding its worker.
    wsgi = WSGIMiddleware(cast("Any", application), workers=workers, send_queue_size=1_024)
    pages = WholeBody(cast("ASGIApp", wsgi), upload_paths=UPLOAD_PATHS, is_signed_in=is_signed_in)
    static = [Mount("/static", StaticFiles(directory=_HERE / "static"))]
    if inter_font_dir.is_dir():
        static.insert(0, Mount("/static/inter", StaticFiles(directory=inter_font_dir)))
    return Starlette(routes=[*static, Mount("/", pages)])


def _check_keys(configuration: Configuration) -> None:
    for file, what in (
        (configuration.pages_key_file, "key keys.pages_key_file"),
        (configuration.ticket_key_file, "key keys.ticket_key_file"),
        (configuration.photographs_key_file, "key keys.photographs_key_file"),
    ):
        if not file.exists():
            raise ConfigError(
                f"{file} is missing. Set the office up: watchlink office init --config {configuration.file} (after an"
                " update: migrate)"
            )
        read_key(file, f"{configuration.file}: {what}")


def _refuse(why: object, status: int) -> int:
    sys.stderr.write(f"watchlink office serve: {why}\n")
    return status
