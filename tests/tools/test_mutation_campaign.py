"""A whole campaign of mutants. Apart, for the processes of integration tests need not load what reads Python for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


def test_campaign_kills_what_a_test_notices_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """A whole small project: one line proved, one not, one that no test runs, one that never ends, one that crashes."""
    (tmp_path / "wire").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "wire/__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["integration: none"]\n')
    # A name that pytest by itself would take for a file of tests.
    (tmp_path / "wire/toy_test.py").write_text(
        "def proved(a):\n    return a < 3\n\ndef unproved(a):\n    return a < 3\n\n"
        "def never_run(a):\n    return a < 3\n\ndef crashes(a):\n    if a < 3:\n        __import__('os').abort()\n\n"
        "def ends(a):\n    while a:\n        a -= 1\n"
    )
    (tmp_path / "tests/conftest.py").write_text(
        'from hypothesis import settings\nsettings.register_profile("ordinary", database=None)\n'
    )
    (tmp_path / "tests/test_toy.py").write_text(
        "from wire import toy_test as toy\n\ndef test_proved():\n    assert toy.proved(2) and not toy.proved(3)\n\n"
        "def test_unproved():\n    toy.unproved(1)\n\ndef test_ends():\n    toy.ends(1)\n\n"
        "def test_crashes():\n    toy.crashes(3)\n"
    )
    program = (
        "from pathlib import Path\nfrom tools.mutation.campaign import Campaign\n"
        "campaign = Campaign(Path.cwd(), 2)\natlas = campaign.atlas()\n"
        "wanted = [m for m in campaign.mutants()['wire'] if m.becomes.endswith(('<= 3', 'a += 1'))]\n"
        "for mutant, result in campaign.play(wanted, atlas): print(mutant.scope, result.outcome, result.by)\n"
    )

    # The toy has no office, whose settings pytest-django names to every child.
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["PYTHONPATH"] = f"{tmp_path}:{ROOT}"

    def run() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        return sorted(line for line in done.stdout.splitlines() if "files" not in line)

    first = run()

    assert [
        "crashes out of time tests/test_toy.py::test_crashes",
        "ends out of time tests/test_toy.py::test_ends",
        "never_run no test ",
        "proved killed tests/test_toy.py::test_proved",
        "unproved survived ",
    ] == first
    kept = (tmp_path / "var/mutation/results.jsonl").read_bytes()
    assert first == run()
    assert kept == (tmp_path / "var/mutation/results.jsonl").read_bytes()
