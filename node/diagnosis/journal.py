"""The unit's log, entry by entry: only listed fields, their words let through one by one."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from node.check.machine import said
from node.check.unit import UNIT
from node.diagnosis.words import GONE, Words, module_paths

LINES_MAX: Final = 3_000
_WORDS: Final = ("level", "name", "message", "reason", "event", "fact", "kind", "path", "mode", "result", "detail")
_IDS: Final = ("alert", "incident", "draft", "from_node", "frame")
_FIGURES: Final = ("at_ms", "is_late", "over", "bursts", "airtime_ms", "waited_ms")
_FROM_SYSTEMD: Final = ("EXIT_CODE", "EXIT_STATUS", "JOB_TYPE", "JOB_RESULT", "UNIT_RESULT", "N_RESTARTS")
_FRAME: Final = re.compile(r'^ *File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<where>\w+)')


def unit_log(words: Words) -> list[str] | None:
    """JSON lines, oldest first; ``None`` = there is no journal here, or no right to read it."""
    told = said("journalctl", "--unit", UNIT, "--output=json", f"--lines={LINES_MAX}", "--no-pager", "--quiet")
    if told is None:
        return None
    boots: dict[str, int] = {}
    found = [entry for line in told.splitlines() if (entry := _entry(line, words, boots))]
    return [json.dumps(entry, ensure_ascii=False) for entry in found]


def _entry(line: str, words: Words, boots: dict[str, int]) -> dict[str, object] | None:
    try:
        raw = json.loads(line)
        at_us = int(raw["__REALTIME_TIMESTAMP"])
    except (ValueError, TypeError, KeyError):
        return None
    is_systemd = str(raw.get("_PID")) == "1"
    entry: dict[str, object] = {
        "at_us": at_us,
        # A number instead of the machine's id of the boot: it is enough to see restarts.
        "boot": boots.setdefault(str(raw.get("_BOOT_ID")), len(boots)),
        "by": "systemd" if is_systemd else "node",
    }
    if is_systemd:
        entry |= {key.lower(): words.clean(raw[key]) for key in _FROM_SYSTEMD if key in raw}
    return entry | _message(raw.get("MESSAGE"), words)


def _message(message: object, words: Words) -> dict[str, object]:
    if not isinstance(message, str):
        return {"message": GONE}  # bytes that are no text
    try:
        record = json.loads(message)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return {"message": words.clean(message)}
    found: dict[str, object] = {key: words.clean(record[key]) for key in (*_WORDS, *_IDS) if key in record}
    found |= {key: record[key] for key in _FIGURES if isinstance(record.get(key), bool | int | float)}
    if exc_info := record.get("exc_info"):
        found["traceback"] = traceback(exc_info, words)
    return found


def traceback(text: Any, words: Words) -> list[str]:  # noqa: ANN401 - whatever stands in a log
    """Our own lines of it, and the error; no source lines and no other program's paths."""
    lines = str(text).splitlines()
    found = []
    for line in lines:
        if frame := _FRAME.match(line):
            ours = next((path for path in module_paths() if frame["file"].endswith(f"/{path}")), None)
            found.append(f"{ours}:{frame['line']} {words.clean(frame['where'])}" if ours else GONE)
    return [*found, words.clean(lines[-1])] if lines else found
