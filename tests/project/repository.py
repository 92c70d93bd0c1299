"""This repository's own files, as the rules of the project look at them."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
PACKAGES: Final = (
    "wire",
    "runtime",
    "node",
    "gallery",
    "central",
    "notifier",
    "office",
    "provisioning",
    "enrolment",
    "installation",
    "appliance",
    "watchlink",
)
"""What the wheel holds: what runs. Demo and simulation are offered in a checkout."""


def files(*patterns: str) -> list[Path]:
    """Files under git, and new ones that are not ignored, relative to the repository."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = sorted(set(filter(None, listing.split("\0"))))
    return [Path(name) for name in names if (REPOSITORY / name).is_file()]


def text_of(path: Path) -> str:
    """What is in it; empty for a binary file."""
    try:
        return (REPOSITORY / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@functools.cache
def sources() -> dict[Path, str]:
    """Every Python file with its text."""
    return {path: text_of(path) for path in files("*.py")}
