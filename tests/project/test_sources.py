"""Rules that hold for every file here, whoever wrote it."""

from __future__ import annotations

import ast
import itertools
import re
import string
from pathlib import Path

import pytest

from tests.project.repository import files, sources, text_of

LINES_MAX = 450
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
REQUIREMENTS = {
    f"{letter}{number}"
    for letter, count in {"N": 13, "G": 14, "C": 9, "L": 12, "F": 6}.items()
    for number in range(1, count + 1)
}
# Written so that this file does not hold what it looks for.
OF_ONE_MACHINE = re.compile(r"[/]work/\w|[/]root/\.?\w|[/]home/\w|[/]tmp/bash_jobs")
REGISTRY = re.compile(r"pypi\.[o]rg|[p]ythonhosted\.|registry\.[n]pmjs|deb\.[d]ebian\.")


def test_python_files_can_be_read_in_one_sitting() -> None:
    long = {str(path): n for path, text in sources().items() if (n := text.count("\n")) > LINES_MAX}

    assert {} == long


def test_file_names_say_what_is_in_them() -> None:
    assert [] == [str(path) for path in sources() if path.stem in NAMES_THAT_SAY_NOTHING]


@pytest.mark.parametrize("pattern", [OF_ONE_MACHINE, REGISTRY], ids=["machine path", "registry address"])
def test_no_file_knows_the_machine_it_was_written_on(pattern: re.Pattern[str]) -> None:
    found = [f"{path}: {match[0]}" for path in files() for match in pattern.finditer(text_of(path))]

    assert [] == found


def test_lock_pins_every_package_with_hashes_and_no_index() -> None:
    lock = text_of(Path("requirements.lock"))
    entries = [entry for entry in re.split(r"\n(?=\S)", lock) if entry and not entry.startswith("#")]

    assert len(entries) > 20
    assert [] == [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]


def test_every_log_call_is_well_formed() -> None:
    """A constant text, and as many arguments as it has places: a log line must never be lost to its own format."""
    bad = [
        f"{path}:{call.lineno}: {problem}"
        for path, text in sources().items()
        if "log" in text
        for call in _log_calls(ast.parse(text))
        if (problem := _problem_of(call))
    ]

    assert [] == bad


def _log_calls(tree: ast.AST) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOG_METHODS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"logger", "logging", "log"}
    ]


def _problem_of(call: ast.Call) -> str:
    if not call.args:
        return "no text"
    message, *arguments = call.args
    if not isinstance(message, ast.Constant) or not isinstance(message.value, str):
        return "the text is not a constant"
    places = re.findall(r"%(?:\([^)]*\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?([a-zA-Z%])", message.value)
    wanted = sum(place != "%" for place in places)
    if any(place not in "sdrfgxi%" for place in places):
        return f"%{places} is no format"
    if any(isinstance(argument, ast.Starred) for argument in arguments):
        return "arguments are not written out"
    return "" if wanted == len(arguments) else f"{wanted} places, {len(arguments)} arguments"


def test_log_check_finds_what_is_wrong() -> None:
    """The check above can fail."""
    wrong = ['logger.info("%s")', 'logger.info("x", 1)', 'logger.info(f"{x}")', 'logger.error("a %s %d", 1)']
    right = ['logger.info("100 %%")', 'logger.info("%s is %d ms", a, b)', 'logger.exception("gone")']

    problems = [[_problem_of(call) for call in _log_calls(ast.parse(text))] for text in (*wrong, *right)]

    assert [True] * len(wrong) + [False] * len(right) == [bool(found[0]) for found in problems]


def test_tests_cite_requirements_that_exist() -> None:
    """N1 … N13, G1 … G10, C1 … C6, L1 … L12, F1 … F6."""
    # Citations stand in docstrings and comments; a letter and digits elsewhere may be a key or a pin.
    cited = {
        citation
        for path, text in sources().items()
        if path.parts[0] == "tests" and path.parts[1] != "project"
        for line in itertools.chain(_docstrings(text), re.findall(r"#.*", text))
        for citation in re.findall(r"\b[NGCLF]\d{1,2}\b", line)
    }

    assert set() == cited - REQUIREMENTS
    assert {"N1", "N2", "N3", "N5", "N8", "N13"} <= cited


def _docstrings(text: str) -> list[str]:
    kinds = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]


def test_readme_names_only_targets_and_files_that_exist() -> None:
    readme = text_of(Path("README.md"))
    targets = set(re.findall(r"^([a-z-]+):", text_of(Path("Makefile")), re.MULTILINE))
    links = [link for link in re.findall(r"\]\(([^)#]+)", readme) if "://" not in link]
    known = {str(path) for path in files()}

    assert set() == set(re.findall(r"^\s*make ([a-z-]+)", readme, re.MULTILINE)) - targets
    assert [] == [link for link in links if link not in known and not any(k.startswith(link) for k in known)]
    assert "make demo" in readme


def test_modules_are_named_in_lower_case() -> None:
    allowed = set(string.ascii_lowercase + string.digits + "_")

    assert [] == [str(path) for path in sources() if not set(path.stem) <= allowed]
