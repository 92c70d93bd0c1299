"""The command ``watchlink office publish --config FILE``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from office.backup.in_use import in_use
from office.config import CONFIG_VARIABLE, load_configuration
from runtime.backup_file import BackupError
from runtime.config import ConfigError
from runtime.loading import loading
from runtime.logs import FactLog, set_up_logging
from runtime.service import Service
from runtime.stop_request import stop_request

STATUS_FAILED: Final = 1
STATUS_CONFIG: Final = 2
STATUS_ALARM: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish until SIGTERM or SIGINT.

    Returns 0; 1 if it cannot go on; 2 for a configuration that cannot be used; 3 if the audit was not in order at the
    end.
    """
    parser = argparse.ArgumentParser(
        prog="watchlink office publish", description="Sign and publish snapshots of people and premises."
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="office.toml")
    given = parser.parse_args(arguments)
    set_up_logging()
    should_stop = stop_request()
    os.environ[CONFIG_VARIABLE] = str(given.config.resolve())
    os.environ["DJANGO_SETTINGS_MODULE"] = "office.settings"
    try:
        configuration = load_configuration(given.config)
        # Imported late, so that a signal during these slow imports is not lost.
        with loading():
            import django  # noqa: PLC0415

            django.setup()
            from office.publisher.app import Publisher  # noqa: PLC0415
            from office.readiness import NotReadyError  # noqa: PLC0415
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    try:
        with in_use(configuration):
            publisher = Publisher(configuration, FactLog(), Service())
            return 0 if publisher.run(should_stop) else STATUS_ALARM
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except (NotReadyError, BackupError, OSError, RuntimeError) as e:
        return _refuse(e, STATUS_FAILED)


def _refuse(why: object, status: int) -> int:
    sys.stderr.write(f"watchlink office publish: {why}\n")
    return status
