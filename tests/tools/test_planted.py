"""The list of planted bugs fits the tree, and what is said of a bug is what its tests found."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from tools.mutation.processes import Job, play
from tools.planted.__main__ import LIST, main
from tools.planted.bugs import Bug, outcome, read, rotten

ROOT = Path(__file__).resolve().parents[2]
GATE = "def is_open(role):\n    return role == 'cctv'\n"
BUG = Bug(
    kind="a role is not checked",
    name="gate asks for no role",
    means="Everybody comes in.",
    file="wire/gate.py",
    was="role == 'cctv'",
    becomes="bool(role)",
    tests=("tests/test_gate.py::test_gate",),
)
CASE = BUG.tests[0]


@pytest.mark.one_python
def test_list_fits_the_tree() -> None:
    """Every text is there exactly once, and so is every test: the list cannot rot unseen."""
    assert [] == list(rotten(read(ROOT / LIST), ROOT))


@pytest.mark.one_python
def test_cases_that_the_list_names_are_there() -> None:
    """One that is missing keeps pytest from playing any, and then no bug at all counts as caught."""
    cases = sorted({test for bug in read(ROOT / LIST) for test in bug.tests if "[" in test})
    options = ("--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    said = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *cases], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 0 == said.returncode, said.stdout[-2_000:] + said.stderr[-2_000:]


def test_what_no_longer_fits_is_told(tmp_path: Path) -> None:
    (tmp_path / "wire").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_gate.py").write_text("def test_gate():\n    pass\n\ndef test_other():\n    test_gate()\n")
    (tmp_path / "wire/gate.py").write_text(GATE)
    cases = replace(BUG, tests=(f"{CASE}[a::b]", "tests/test_gate.py::test_other"))
    gone = replace(BUG, was="role == 'pcso'", tests=("tests/test_gate.py::test_gate_of_old", "tests/no.py::test_no"))

    assert [] == list(rotten([BUG, cases], tmp_path))
    assert [
        "gate asks for no role: the text to take out occurs 0 times in wire/gate.py",
        "gate asks for no role: there is no test tests/test_gate.py::test_gate_of_old",
        "gate asks for no role: there is no test tests/no.py::test_no",
    ] == list(rotten([gone], tmp_path))


def test_words_of_no_bug_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Before, the tests of all were run, and then none was tried."""
    with pytest.raises(SystemExit):
        main(["--only", "central/core/staff"])
    assert "no planted bug has “central/core/staff” in its kind or name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bug", "text", "says"),
    [
        (BUG, GATE + GATE, "occurs 2 times"),
        (replace(BUG, becomes=BUG.was), GATE, "nothing is planted"),
        (replace(BUG, becomes="("), GATE, "is no Python"),
    ],
)
def test_bug_that_cannot_be_planted_is_refused(bug: Bug, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        bug.planted(text)


def test_names_are_told_apart(tmp_path: Path) -> None:
    entry = '[[bug]]\nkind = "k"\nname = "n"\nmeans = "m"\nfile = "f"\nwas = "w"\nbecomes = ""\ntests = ["t"]\n'
    (tmp_path / "bugs.toml").write_text(entry * 2)

    with pytest.raises(ValueError, match="n"):
        read(tmp_path / "bugs.toml")


@pytest.mark.parametrize(
    ("before", "planted", "said"),
    [
        ({CASE: "passed"}, {CASE: "failed"}, "caught"),
        ({f"{CASE}[1]": "passed", f"{CASE}[2]": "passed"}, {f"{CASE}[1]": "passed", f"{CASE}[2]": "failed"}, "caught"),
        ({CASE: "passed"}, {CASE: "passed"}, f"MISSED by {CASE}"),
        ({CASE: "failed"}, {CASE: "failed"}, f"without it: failed: {CASE}"),
        ({CASE: "skipped"}, {CASE: "failed"}, f"without it: skipped: {CASE}"),
        ({CASE: "passed"}, {CASE: "ImportError (call)"}, f"with it: ImportError (call): {CASE}"),
        ({CASE: "passed"}, {}, f"with it: not played: {CASE}"),
        ({f"{CASE}_of_another": "passed"}, {}, f"there is no test {CASE}"),
    ],
)
def test_bug_is_caught_by_an_assertion_alone(before: dict[str, str], planted: dict[str, str], said: str) -> None:
    assert said == outcome(BUG, before, planted)


def test_every_test_of_a_bug_must_notice() -> None:
    bug = replace(BUG, tests=(CASE, "tests/test_gate.py::test_blind"))
    before = dict.fromkeys(bug.tests, "passed")

    assert "MISSED by tests/test_gate.py::test_blind" == outcome(bug, before, before | {CASE: "failed"})


ENTRY = """
[[bug]]
kind = "a role is not checked"
name = "{name}"
means = "Everybody comes in."
file = "wire/gate.py"
was = "{was}"
becomes = "{becomes}"
tests = ["tests/test_gate.py::{test}"]
"""
PROGRAM = (
    "import sys\nfrom pathlib import Path\nfrom tools.planted import __main__ as planted\n"
    "planted.ROOT = Path(sys.argv[1])\nsys.exit(planted.main(['--jobs', '1']))\n"
)


def _tree(folder: Path, *entries: str) -> None:
    """A whole small project, with a gate and its tests."""
    files = {
        "pyproject.toml": "[tool.pytest.ini_options]\n",
        "wire/__init__.py": "",
        "wire/gate.py": GATE,
        "tests/test_gate.py": (
            "import subprocess, sys\nfrom wire.gate import is_open\n"
            "def test_gate():\n    assert not is_open('pcso')\n\n"
            "def test_blind():\n    assert is_open('cctv')\n\n"
            "def test_stumbles():\n    if is_open('pcso'):\n        import nothing_of_this_name\n\n"
            "def test_program():\n"
            "    code = 'from wire.gate import is_open; print(is_open(\"pcso\"))'\n"
            "    said = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd='/')\n"
            "    assert 'False' == said.stdout.strip(), said.stderr\n\n"
            "def test_strays():\n    import runtime.config\n    assert not is_open('pcso')\n"
        ),
        LIST: "".join(entries),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)


def _entry(test: str, was: str = BUG.was, becomes: str = BUG.becomes) -> str:
    return ENTRY.format(name=f"gate, {test}", was=was, becomes=becomes, test=test)


def _plant(folder: Path) -> subprocess.CompletedProcess[str]:
    # The toy has no office, whose settings pytest-django names to every child.
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    program = folder.with_suffix(".py")
    program.write_text(PROGRAM)
    return subprocess.run(
        [sys.executable, str(program), str(folder)],
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.integration
def test_bugs_are_planted_in_a_copy_and_caught(tmp_path: Path) -> None:
    """In this process and in those that the tests start; the tree itself is left alone."""
    _tree(tmp_path / "town", _entry("test_gate"), _entry("test_program"))

    done = _plant(tmp_path / "town")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "2 of 2 planted bugs were caught." in done.stdout
    assert GATE == (tmp_path / "town/wire/gate.py").read_text()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (_entry("test_blind"), "MISSED by tests/test_gate.py::test_blind"),
        (_entry("test_stumbles"), "ModuleNotFoundError"),
        (_entry("test_strays"), "played against code elsewhere: runtime"),
        (_entry("test_gate", was="role == 'police'"), "occurs 0 times"),
        (_entry("test_gate", becomes="nobody"), "NameError"),
    ],
    ids=["missed", "stumbles", "strays", "gone", "broken"],
)
def test_bug_that_is_not_caught_is_told(tmp_path: Path, entry: str, says: str) -> None:
    _tree(tmp_path / "town", entry)

    done = _plant(tmp_path / "town")

    assert (1, True) == (done.returncode, says in done.stdout), done.stdout + done.stderr
    assert "0 of 1 planted bugs were caught." in done.stdout


def test_work_that_is_out_of_time_is_told_so() -> None:
    """Before, the tests of all planted bugs that took too long had said nothing, whatever it was."""
    _, ending = next(play([Job("", lambda _: time.sleep(60), 0.1)], 1))

    with pytest.raises(RuntimeError, match=r"^A process was killed after \d+ s and had said nothing"):
        ending.said(int)
