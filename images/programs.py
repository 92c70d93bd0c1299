"""Runs other programs, for builds and boots."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from images.errors import BuildError

_SAID_CHARS: Final = 4_000
_EMPTY_ROOT_MOUNTS: Final = 'mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/tmp" && exec chroot "$0" "$@"'


def run(*command: str | Path, env: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """Run it to its end, and return what it wrote to its output.

    Raises:
        BuildError: it failed, or is not installed.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as e:
        raise BuildError(f"{words[0]} cannot be run: {e.strerror}. 'scripts/set-up image' installs it.") from e
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")[-_SAID_CHARS:]
        raise BuildError(f"'{' '.join(words)}' failed with status {done.returncode}:\n{said}")
    return done.stdout.decode(errors="replace")


def run_in_root(root: Path, command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Run one of the root's own programs, with ``/proc`` and an empty ``/tmp``. Nothing stays mounted.

    Raises:
        BuildError: it failed.
    """
    own = ("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child")
    return run(*own, "sh", "-c", _EMPTY_ROOT_MOUNTS, root, *command, env=env)
