"""``watchlink node unkey``: puts the configured line into its idle state, independently of the node (N10, F3).

systemd runs it before the node starts and after it ends, for any reason; an engineer runs it when in doubt. So it reads
only ``[radio.ptt]`` and the lines that the fleet has set, leniently, and no keys, store or network; and it loads
little, to be quick.
"""

from __future__ import annotations

import base64
import json
import re
import signal
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from node.hw.radio.ptt import PttError, PttSettings
from node.hw.radio.ptt_lines import open_line

SETTINGS: Final = "settings.json"
"""In the state folder (:mod:`node.fleet_settings`)."""
UNKEY_S: Final[float] = 4
"""A device that hangs must not hold up the node's start: its buttons work without a radio."""
_Kind = TypeVar("_Kind", str, int)
_HEADER: Final = re.compile(r"\s*\[\s*([\w.\s-]+?)\s*\]")


def unkey(config_file: Path) -> int:
    """Switch the line off and report it; returns the exit status.

    Args:
        config_file: ``node.toml``.

    Returns:
        0 if the line is off, or none is configured; 1 if that is uncertain, with the reason.
    """
    try:
        with _bounded():
            text = config_file.read_text(encoding="utf-8", errors="replace")
            lines = configured_lines(text, config_file.absolute().parent)
        if not lines:
            print("no transmit key is configured here")  # noqa: T201 - a command's answer
            return 0
        names = _put_all_off(lines)
    except OSError as e:
        reason = str(e) if isinstance(e, PttError) else f"{config_file}: cannot be read: {e.strerror}"
        print(f"the transmit key may be ON: {reason}", file=sys.stderr)  # noqa: T201 - a command's answer
        return 1
    print(f"transmit key off: {', '.join(names)}")  # noqa: T201 - a command's answer
    return 0


def _put_all_off(lines: Sequence[PttSettings]) -> list[str]:
    """Each of them, whatever becomes of the others: any may be the one that is on.

    Raises:
        PttError: the first, the one in use, is not off. Another may have been unplugged since.
    """
    names: list[str] = []
    problem: PttError | None = None
    for line in lines:
        try:
            with _bounded():
                names.append(_put_off(line))
        except PttError as e:
            problem = e if line is lines[0] else problem
    if problem is not None:
        raise problem
    return names


def _put_off(settings: PttSettings) -> str:
    line = open_line(settings)
    line.close()
    return line.name


def configured_lines(text: str, folder: Path) -> tuple[PttSettings, ...]:
    """Every line that this node may have keyed, the one in use first.

    Args:
        text: of ``node.toml``.
        folder: its folder.
    """
    own = read_settings(text)
    if own is None:
        return ()
    return tuple(dict.fromkeys(line or own for line in (*_lines_of_fleet(text, folder), None)))


def _lines_of_fleet(text: str, folder: Path) -> Iterator[PttSettings | None]:
    """Unverified: a line that was never keyed is put off at most. ``None`` = as ``node.toml`` says."""
    with suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
        state_dir = _top(text).get("state_dir")
        kept = json.loads((folder / (state_dir if isinstance(state_dir, str) else "state") / SETTINGS).read_bytes())
        order = ("trial", "good", "left") if kept.get("is_begun") else ("good", "trial", "left")
        for which in order:
            sealed = base64.b64decode(kept.get(which, {}).get("data", ""))
            if sealed:
                ptt = json.loads(base64.b64decode(json.loads(sealed)["document"])).get("ptt")
                yield _settings_of(ptt) if isinstance(ptt, dict) else None


@contextmanager
def _bounded() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise PttError(f"its device does not answer within {UNKEY_S} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, UNKEY_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read_settings(text: str) -> PttSettings | None:
    """The line named in a ``node.toml``; ``None`` = none to key.

    A value of the wrong type counts as absent. Errors elsewhere in the file do not matter.
    """
    radio = _radio(text)
    table = radio.get("ptt")
    if radio.get("driver") != "sound" and not isinstance(table, dict):
        return None
    given = table if isinstance(table, dict) else {}
    return _settings_of(given)


def _settings_of(given: dict[str, Any]) -> PttSettings:
    default = PttSettings()
    return PttSettings(
        method=_of(str, given, "method", default.method),
        gpio=_of(int, given, "gpio", default.gpio),
        serial=_of(str, given, "serial", default.serial),
        hidraw=_of(str, given, "hidraw", default.hidraw),
        cm108_pin=_of(int, given, "cm108_pin", default.cm108_pin),
    )


def _top(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _radio(text: str) -> dict[str, Any]:
    try:
        radio = tomllib.loads(text).get("radio")
    except tomllib.TOMLDecodeError:
        return _radio_by_line(text)
    return radio if isinstance(radio, dict) else {}


def _radio_by_line(text: str) -> dict[str, Any]:
    """The valid lines of the two relevant tables, for a file that is not valid TOML."""
    tables: dict[str, dict[str, Any]] = {}
    current = ""
    for line in text.splitlines():
        if header := _HEADER.match(line):
            current = re.sub(r"\s", "", header[1])
            tables.setdefault(current, {})
        elif current in ("radio", "radio.ptt"):
            with suppress(tomllib.TOMLDecodeError):
                tables[current].update(tomllib.loads(line))
    radio = tables.get("radio", {})
    return {**radio, "ptt": tables["radio.ptt"]} if "radio.ptt" in tables else radio


def _of(kind: type[_Kind], given: dict[str, Any], key: str, default: _Kind) -> _Kind:
    value = given.get(key)
    return value if type(value) is kind else default
