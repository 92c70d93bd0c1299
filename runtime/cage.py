"""The cage of a child that reads pictures: what it may use, and what the kernel lets it do.

Two bars, for a picture that is too greedy and for one that takes the decoder over. Limits are inherited by nothing and
cannot be raised again. The system-call filter leaves it reading what it was handed, writing the answer, and memory: no
file, no network, no other process.
"""

from __future__ import annotations

import ctypes
import errno
import math
import platform
import resource
import signal
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM
_ARCHITECTURE_AT, _NUMBER_AT = 4, 0

_MACHINES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""As linux/audit.h numbers them."""
_CALLS: Final[dict[str, tuple[int | None, int | None]]] = {
    "read": (0, 63),
    "write": (1, 64),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "futex": (202, 98),
    "clock_gettime": (228, 113),
    "getrandom": (318, 278),
    "getpid": (39, 172),
    "select": (23, None),
    "pselect6": (270, 72),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
"""What is left, with its number on each of these machines; ``None`` = there is no such call."""


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("operand", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("first", ctypes.POINTER(_Instruction)))


def limit_resources(*, memory_bytes: int, cpu_s: float | None) -> None:
    """From here on: this much address space, no file, no core dump, no other process, and seconds of processor.

    Half a second later a child that takes no notice is killed.
    """
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    if cpu_s is not None:
        _limit(resource.RLIMIT_CPU, math.ceil(cpu_s))
        signal.setitimer(signal.ITIMER_PROF, cpu_s)


def close_cage() -> bool:
    """From here on nothing can be opened, connected or started. Whether the kernel sees to that, too.

    Everything that will be needed must have been imported. On other processors than those of our machines only the
    number of open files keeps the cage shut.
    """
    _limit(resource.RLIMIT_NOFILE, 3)
    machine = platform.machine()
    if machine not in _MACHINES:
        return False
    numbers = allowed_on(machine).values()
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 1, 0, _MACHINES[machine]),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _NUMBER_AT),
        *((_JUMP_IF_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    instructions = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    program = _Program(len(steps), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program)) == 0)


def allowed_on(machine: str) -> dict[str, int]:
    """The system calls that are left on a machine of :data:`_MACHINES`, with their numbers."""
    place = list(_MACHINES).index(machine)
    return {name: number for name, both in _CALLS.items() if (number := both[place]) is not None}


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))
