from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import wire
from wire.directory_succession import Refusal
from wire.errors import REASONS, DecodeError
from wire.messages import Health

SOURCES = sorted(
    source for folder in (".", "messages") for source in (Path(wire.__file__).parent / folder).glob("*.py")
)


def reasons_in(source: Path) -> set[str]:
    """The first argument of every ``…Error(…)`` that is raised as a decode error, and of the reader's methods."""
    found = set()
    for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        position = 1 if name == "one_of" else 0
        if name in {"nonzero", "one_of"} or (name.endswith("Error") and name not in {"EncodeError", "ValueError"}):
            argument = call.args[position]
            if isinstance(argument, ast.Constant):
                found.add(str(argument.value))
            else:
                assert isinstance(argument, ast.Name), ast.dump(call)
    return found


def test_every_reason_is_listed_and_every_listed_reason_is_given() -> None:
    """A counter's labels are a closed set: nothing of a peer's input ever becomes one."""
    assert set(REASONS) == set(get_args(Refusal)).union(*(reasons_in(source) for source in SOURCES))


def test_every_reason_fits_the_health_message() -> None:
    assert max(map(len, REASONS)) <= 64
    assert len(REASONS) <= 128
    assert Health(state="armed", boot_id="b", rejected=dict.fromkeys(REASONS, 1))


def test_decode_error_says_reason_place_and_detail() -> None:
    error = DecodeError("version", 0, "2")

    assert ("version", 0, "version at byte 0: 2") == (error.reason, error.offset, str(error))
    assert "topic" == str(DecodeError("topic"))
    assert isinstance(error, ValueError)
