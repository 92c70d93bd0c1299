"""Facts and logs never hold up or end the program that writes them."""

from __future__ import annotations

import io
import json
import os

import pytest

from runtime.logs import WAITING_LINES_MAX, FactLog, PatientWriter


def test_fact_log_writes_one_json_object_a_line() -> None:
    out = io.StringIO()
    FactLog(out).write("pressed", node="00000010", premises="Café")
    fact = json.loads(out.getvalue())

    assert {"fact": "pressed", "node": "00000010", "premises": "Café"} == {
        k: v for k, v in fact.items() if k != "at_ms"
    }
    assert fact["at_ms"] > 0
    assert "Café" in out.getvalue()


def test_fact_log_goes_on_when_its_reader_has_gone() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as out:
        facts = FactLog(out)
        os.close(reader)
        facts.write("a")
        facts.write("b")

        assert not facts._is_open


def test_patient_writer_never_waits_for_a_stalled_reader_and_loses_nothing_it_can_keep() -> None:
    """A pipe nobody reads is full after 64 kB; a plain write would hang the alert path here for ever."""
    reader, writer = os.pipe()
    line = "x" * 999 + "\n"
    with os.fdopen(writer, "w") as out, os.fdopen(reader, "rb", buffering=0) as read:
        patient = PatientWriter(out)
        for _ in range(500):
            patient.write(line)
        taken = b""
        while len(taken) < 501_000:
            taken += read.read(65_536)
            if len(taken) < 501_000:
                patient.write("" if patient._waiting else line)

    assert taken == line.encode() * 501
    assert patient.dropped == 0


def test_patient_writer_counts_what_it_cannot_keep() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as out:
        patient = PatientWriter(out)
        for _ in range(WAITING_LINES_MAX + 2_000):
            patient.write("y" * 99 + "\n")
        os.set_blocking(reader, False)
        os.read(reader, 1 << 20)
    os.close(reader)

    assert 0 < patient.dropped < WAITING_LINES_MAX


@pytest.mark.parametrize("text", ["", "a\n"])
def test_patient_writer_writes_at_once_to_memory(text: str) -> None:
    out = io.StringIO()
    PatientWriter(out).write(text)

    assert text == out.getvalue()
