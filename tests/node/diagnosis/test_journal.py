"""The unit's log as the engineer gets it: what happened, and not to whom (D)."""

from __future__ import annotations

import json
from typing import Any

from node.diagnosis.journal import unit_log
from node.diagnosis.words import Words
from tests.support.fitted_unit import FittedUnit

WORDS = Words(["Corner Shop"], {"00000010"})


def entries(fitted: FittedUnit, *raw: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [json.dumps({"__REALTIME_TIMESTAMP": "17", "_BOOT_ID": "b1", "_PID": "4711", **one}) for one in raw]
    fitted.program("journalctl", "\n".join(lines))
    told = unit_log(WORDS)
    assert told is not None
    return [json.loads(line) for line in told]


def test_log_record_keeps_its_level_and_known_words(fitted: FittedUnit) -> None:
    message = json.dumps(
        {
            "level": "WARNING",
            "name": "node.net.mqtt",
            "message": "no link: no broker answers at Smithson:1",
            "taskName": "x",
        }
    )

    assert [
        {
            "at_us": 17,
            "boot": 0,
            "by": "node",
            "level": "WARNING",
            "name": "node.net.mqtt",
            "message": "no link: no broker answers at …",
        }
    ] == entries(fitted, {"MESSAGE": message, "_HOSTNAME": "smithsons", "_CMDLINE": "x"})


def test_fact_keeps_its_figures_and_no_name(fitted: FittedUnit) -> None:
    fact = {
        "at_ms": 1.5,
        "fact": "acknowledged",
        "alert": "00000010-7",
        "premises": "Corner Shop",
        "name": "Jo",
        "role": "x",
    }
    (told,) = entries(fitted, {"MESSAGE": json.dumps(fact)})

    assert ("acknowledged", "00000010-7", 1.5) == (told["fact"], told["alert"], told["at_ms"])
    assert {"premises", "role"}.isdisjoint(told)
    assert "Jo" not in str(told)


def test_what_systemd_says_stays_legible(fitted: FittedUnit) -> None:
    said = "watchlink-node.service: Main process exited, code=exited, status=1/FAILURE"
    (told,) = entries(fitted, {"MESSAGE": said, "_PID": "1", "EXIT_STATUS": "1", "EXIT_CODE": "exited"})

    assert (said, "systemd", "1", "exited") == (told["message"], told["by"], told["exit_status"], told["exit_code"])


def test_traceback_keeps_our_own_lines(fitted: FittedUnit) -> None:
    trace = (
        'Traceback (most recent call last):\n  File "/opt/Smithson/node/app.py", line 12, in _step\n    secret(Jo)\n'
        '  File "/usr/lib/python3/x.py", line 3, in Jo\nValueError: Jo is not a name'
    )
    (told,) = entries(fitted, {"MESSAGE": json.dumps({"message": "the core failed", "exc_info": trace})})

    assert ["node/app.py:12 _step", "…", "ValueError: … is not a name"] == told["traceback"]


def test_boots_are_numbered_and_broken_entries_skipped(fitted: FittedUnit) -> None:
    told = entries(
        fitted,
        {"MESSAGE": "the"},
        {"MESSAGE": "the", "_BOOT_ID": "b2"},
        {"__REALTIME_TIMESTAMP": "x"},
        {"MESSAGE": [1]},
    )

    assert [(0, "the"), (1, "the"), (0, "…")] == [(one["boot"], one["message"]) for one in told]


def test_machine_without_a_journal_has_no_log(fitted: FittedUnit) -> None:
    assert unit_log(WORDS) is None
