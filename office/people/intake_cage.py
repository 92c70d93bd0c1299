"""The cage of the child that reads photographs: what it may use, and what the kernel lets it do.

Two bars, for a picture that is too greedy and for one that takes the decoder over. Limits are inherited by nothing and
cannot be raised again. The system-call filter leaves it reading what it was handed, writing the answer, and memory: no
file, no network, no other process.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import resource
from typing import Final

MEMORY_BYTES_MAX: Final = 120 * 1024 * 1024
"""Address space. Python with Pillow takes 31 MB of it, a transparent screenshot of a 4K screen 85 MB more."""
CPU_S_MAX: Final = 2

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM
_ARCHITECTURE_AT, _NUMBER_AT = 4, 0

# linux/audit.h, and read write mmap mprotect munmap brk mremap madvise rt_sigaction rt_sigprocmask rt_sigreturn
# sigaltstack futex clock_gettime getrandom getpid select pselect6 exit exit_group of each table of system calls.
_ALLOWED: Final = {
    "x86_64": (
        0xC000003E,
        (0, 1, 9, 10, 11, 12, 25, 28, 13, 14, 15, 131, 202, 228, 318, 39, 23, 270, 60, 231),
    ),
    "aarch64": (
        0xC00000B7,
        (63, 64, 222, 226, 215, 214, 216, 233, 134, 135, 139, 132, 98, 113, 278, 172, 72, 93, 94),
    ),
}


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("operand", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("first", ctypes.POINTER(_Instruction)))


def limit_resources(*, cpu_s: int | None) -> None:
    """From here on: 120 MB, no file, no core dump, no other process, and ``cpu_s`` seconds of processor."""
    _limit(resource.RLIMIT_AS, MEMORY_BYTES_MAX)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    if cpu_s is not None:
        _limit(resource.RLIMIT_CPU, cpu_s)


def close_cage() -> bool:
    """From here on nothing can be opened, connected or started. Whether the kernel sees to that, too.

    Everything that will be needed must have been imported. On other processors than those of our machines only the
    number of open files keeps the cage shut.
    """
    _limit(resource.RLIMIT_NOFILE, 3)
    known = _ALLOWED.get(platform.machine())
    if known is None:
        return False
    architecture, numbers = known
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
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


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))
