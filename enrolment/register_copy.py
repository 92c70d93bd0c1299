"""Keeps a copy of the register where central's backup finds it, and fills an empty register from one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from enrolment.config import Configuration, authority_of
from enrolment.list_renewal import FOR_CENTRAL, REGISTER
from enrolment.register import Register, RegisterCopy, RegisterError
from runtime.atomic import write_atomic
from wire.fleet_files import REGISTER_COPY


def copy_of(configuration: Configuration) -> bytes:
    """All that the register holds, as JSON with a newline.

    Raises:
        ConfigError, RegisterError: it cannot be read, or is another town's.
    """
    with _opened(configuration) as register:
        return register.copy() + b"\n"


def keep_copy(configuration: Configuration) -> None:
    """Put it beside the directory with the changes; before the first unit was claimed there is nothing to keep.

    Raises:
        ConfigError, RegisterError, OSError: it is not kept.
    """
    if (configuration.at(configuration.file.state_dir) / REGISTER).exists():
        file = configuration.at(configuration.file.directory.changed_file).with_name(REGISTER_COPY)
        write_atomic(file, copy_of(configuration), FOR_CENTRAL)


def put_back(configuration: Configuration, data: bytes) -> RegisterCopy:
    """Fill the register, in which nobody is enrolled yet, and which the service may have open.

    Raises:
        ConfigError, RegisterError: somebody is, or that is no copy, or one of another town; nothing was changed.
    """
    with _opened(configuration) as register:
        return register.put_back(data)


@contextmanager
def _opened(configuration: Configuration) -> Iterator[Register]:
    folder = configuration.at(configuration.file.state_dir)
    if not folder.is_dir():
        raise RegisterError(f"{folder} does not exist: the service was never set up here")
    register = Register(folder / REGISTER, authority_of(configuration))
    try:
        yield register
    finally:
        register.close()
