"""The campaign of mutants: what it leaves alone, what it draws, what it believes."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tools.mutation.judgement import Judgement, read, stale
from tools.mutation.mutants import Mutant, files_of, mutants_of, mutated
from tools.mutation.results import Outcome, Result, Results
from tools.mutation.sample import apportion, draw
from tools.mutation.telling import Tally, entry, survivor
from tools.mutation.trace import ALL, Atlas, Reach, in_order
from tools.mutation.trial import FIRST_FILES, FIRST_TESTS, split

ROOT = Path(__file__).resolve().parents[2]
SOURCE = '''"""A module."""
LIMIT_MS = 5


class Gate:
    """A class."""

    @property
    def is_open(self) -> bool:
        """A property."""
        return self.at_ms < LIMIT_MS


def close(gate, *, by=None):
    logger.info("closing %s", 1)
    if not gate:
        raise ValueError("there is no gate")
    raise Refused(gate.number + 1, f"closed by {by}")
'''


def _changes(source: str) -> list[tuple[str, str]]:
    return [(mutant.was, mutant.becomes) for mutant in mutants_of("wire/gate.py", source)]


def _mutant(path: str, line: int, family: str, was: str, becomes: str, *, binds: str | None = None) -> Mutant:
    """With a name, or an empty one: outside any function."""
    return Mutant(
        path=path,
        scope="step",
        lines=(line, line),
        is_at_import=binds is not None,
        binds=binds or "",
        family=family,
        index=0,
        text="",
        was=was,
        becomes=becomes,
    )


def _mutants(package: str, files: int, lines: int, *, first: int = 0) -> list[Mutant]:
    """Three a line, of two families."""
    return [
        _mutant(f"{package}/f{file}.py", line, family, f"a{file}.{line}", becomes)
        for file in range(files)
        for line in range(first, lines)
        for family, becomes in (("call", "b"), ("call", "c"), ("value", "d"))
    ]


def test_mutants_are_found_at_the_top_of_a_module_and_in_decorated_functions() -> None:
    changes = _changes(SOURCE)

    assert ("5", "6") in changes
    assert ("< LIMIT_MS", "<= LIMIT_MS") in changes


def test_mutant_knows_its_scope_and_lines() -> None:
    [found] = [m for m in mutants_of("wire/gate.py", SOURCE) if m.becomes == "<= LIMIT_MS"]

    assert ("Gate.is_open", (11, 11)) == (found.scope, found.lines)


@pytest.mark.parametrize(
    "line",
    [
        'logger.warning("lost %s", 3)',
        'x: "Seconds"',
        '"""Words."""',
        'T = TypeVar("T", bound=1)',
        "Topic = FrameTopic | UpTopic[3]",
        "len(rows[1])",
        'raise ValueError("a" f"{b + 1}")',
        'class Gate(Struct, frozen=True, gc=False):\n    """A class."""',
        "@cache(1)\ndef f(): pass",
        "x = None",
        "at_ms: int | None = None",
        "rows: tuple[Row, ...] = ()",
    ],
)
def test_what_no_test_need_notice_is_left_alone(line: str) -> None:
    assert [] == _changes(line)


def test_what_a_command_says_of_itself_is_left_alone() -> None:
    changes = _changes('add("--town", help="where it is", encoding="utf-8")')

    assert [('"--town"', '"XX--townXX"')] == [change for change in changes if "XX" in change[1]]


def test_numbers_in_an_error_are_mutated_though_its_words_are_not() -> None:
    inside = [m for m in mutants_of("wire/gate.py", SOURCE) if m.scope == "close" and m.lines[0] >= 17]

    assert ("gate.number + 1", "gate.number - 1") in [(m.was, m.becomes) for m in inside]
    assert not any("XX" in m.becomes for m in inside)


def test_mutant_keeps_its_key_when_its_file_moves_about_it() -> None:
    before = {mutant.key for mutant in mutants_of("wire/gate.py", SOURCE)}
    after = {mutant.key for mutant in mutants_of("wire/gate.py", f"X_MS = 7\n{SOURCE}")}

    assert len(before) == len(mutants_of("wire/gate.py", SOURCE))
    assert before < after


def test_mutated_file_differs_in_that_mutant_only() -> None:
    [limit] = [m for m in mutants_of("wire/gate.py", SOURCE) if (m.was, m.becomes) == ("5", "6")]

    assert {limit.index: SOURCE.replace("= 5", "= 6")} == mutated("wire/gate.py", SOURCE, {limit.index})


def test_sample_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    mutants = {"wire": _mutants("wire", 3, 50)}

    assert draw(mutants, 1, 40) == draw(mutants, 1, 40)
    assert draw(mutants, 1, 40) != draw(mutants, 2, 40)


def test_sample_holds_the_smaller_one_of_the_same_seed() -> None:
    mutants = {"wire": _mutants("wire", 3, 50)}

    small, large = (draw(mutants, 1, size)["wire"] for size in (20, 60))

    assert small == large[:20]


def test_sample_has_one_mutant_a_line_and_every_family() -> None:
    [drawn] = draw({"wire": _mutants("wire", 3, 50)}, 1, 150).values()

    assert 150 == len({(m.path, m.lines) for m in drawn})
    assert {"call", "value"} == {m.family for m in drawn}


def test_sample_elsewhere_stays_when_one_file_changes() -> None:
    before = _mutants("wire", 3, 50)
    after = [m for m in before if m.path != "wire/f0.py"] + _mutants("wire", 1, 45, first=5)

    was, now = ([m for m in draw({"wire": m}, 1, 10_000)["wire"] if "f0" not in m.path] for m in (before, after))

    assert was == now


def test_packages_have_their_share() -> None:
    assert {"a": 6, "b": 3, "c": 1} == apportion({"a": 600, "b": 300, "c": 100}, 10)
    assert {"a": 2, "b": 1} == apportion({"a": 2, "b": 1}, 10)
    assert 7 == sum(apportion({"a": 1, "b": 1, "c": 1, "d": 5}, 7).values())


def _at(line: int, *, binds: str | None = None) -> Mutant:
    return _mutant("wire/a.py", line, "value", "1", "2", binds=binds)


def test_tests_of_a_line_are_those_that_run_it() -> None:
    reach = Reach([("t.py::one", 0.1), ("t.py::two", 0.2)], {"wire/a.py": {3: [0], 4: [ALL], 5: []}})
    atlas = Atlas({"t.py": reach}, {})

    assert {"t.py::one"} == atlas.tests_of(_at(3))
    assert {"t.py::one", "t.py::two"} == atlas.tests_of(_at(4))
    assert set() == atlas.tests_of(_at(5))


def test_line_that_runs_at_import_is_tested_through_its_name() -> None:
    reach = Reach([("t.py::one", 0.1), ("t.py::two", 0.1)], {"wire/b.py": {2: [0]}, "wire/a.py": {9: [1]}})
    atlas = Atlas({"t.py": reach}, {"wire/b.py": "import a\nreturn x < LIMIT_MS\n", "wire/c.py": "UNLIMIT_MS\n"})

    assert {"t.py::one"} == atlas.tests_of(_at(1, binds="LIMIT_MS"))
    assert {"t.py::two"} == atlas.tests_of(_at(1, binds="OTHER")), "whatever runs its file"
    assert {"t.py::two"} == atlas.tests_of(_at(1, binds=""))


def test_file_of_constants_is_tested_by_the_tests_of_its_room() -> None:
    atlas = Atlas({"tests/wire/t.py": Reach([("one", 0.1)], {}), "tests/node/t.py": Reach([("two", 0.1)], {})}, {})

    assert {"one"} == atlas.tests_of(_at(1, binds="LIMIT_MS"))


def test_constant_is_tested_by_the_files_of_tests_that_name_it() -> None:
    atlas = Atlas({"t.py": Reach([("t.py::one", 0.1)], {})}, {"t.py": "assert 5 == LIMIT_MS\n"})

    assert {"t.py::one"} == atlas.tests_of(_at(1, binds="LIMIT_MS"))


def test_only_what_stands_in_a_body_does_not_run_at_import() -> None:
    source = "A = 3\nclass B:\n    c = 4\n    def d(self, e=5):\n        if e > 7:\n            return 6\n"

    found = {m.was: (m.is_at_import, m.binds) for m in mutants_of("wire/a.py", source) if m.was in "34567"}

    assert {"3": (True, "A"), "4": (True, "c"), "5": (True, "d"), "6": (False, "d"), "7": (False, "d")} == found


@pytest.mark.parametrize("line", ["row: Row | None = first", "LIMIT: Final = first"])
def test_value_that_mypy_would_let_be_none_is_tried(line: str) -> None:
    assert [(line, line.replace("first", "None"))] == _changes(line)


def test_false_becomes_true_and_not_none() -> None:
    assert [("False", "True")] == _changes("is_busy = False")


def test_large_number_is_doubled() -> None:
    assert [("2_000", "4000"), ("7", "8")] == _changes("f[2_000, 7]")


def test_order_is_killers_then_own_tests_then_the_fastest_within_budget() -> None:
    seconds = {"tests/sim/a.py::slow": 50.0, "tests/sim/a.py::fast": 0.1, "tests/wire/b.py::own": 3.0, "x::kills": 9.0}
    atlas = Atlas({"": Reach(list(seconds.items()), {})}, {})

    def order(budget_s: float) -> tuple[str, ...]:
        return in_order(seconds, "wire/frames.py", atlas, {"x::kills"}, budget_s)

    assert ("x::kills", "tests/wire/b.py::own", "tests/sim/a.py::fast", "tests/sim/a.py::slow") == order(99.0)
    assert ("x::kills", "tests/wire/b.py::own", "tests/sim/a.py::fast") == order(13.0)
    assert ("x::kills",) == order(0.0)


def test_first_stage_reads_few_files_and_no_test_is_lost() -> None:
    tests = [f"f{number % 10}.py::t{number}" for number in range(500)]

    first, rest = split(tests)

    assert FIRST_TESTS == len(first)
    assert FIRST_FILES == len({test.partition("::")[0] for test in first})
    assert sorted(tests) == sorted([*first, *rest])


def test_kill_holds_until_its_file_or_its_killer_changes() -> None:
    killed = Result("k", "s1", Outcome.KILLED, "t.py::one", {"t.py": "d1"}, 3, 0.5)

    def holds(**digests: str) -> bool:
        return killed.still_holds({"wire/a.py": "s1", "t.py": "d1", **digests}, "wire/a.py", {"t.py", "u.py"})

    assert holds(other="new")
    assert not killed.still_holds({"wire/a.py": "s2", "t.py": "d1"}, "wire/a.py", {"t.py"})
    assert not killed.still_holds({"wire/a.py": "s1", "t.py": "d2"}, "wire/a.py", {"t.py"})
    assert not killed.still_holds({"wire/a.py": "s1"}, "wire/a.py", set())


def test_survival_holds_until_a_test_that_runs_it_comes_or_changes() -> None:
    alive = Result("k", "s1", Outcome.SURVIVED, "", {"t.py": "d1"}, 3, 0.5)
    digests = {"wire/a.py": "s1", "t.py": "d1", "u.py": "d3"}

    assert alive.still_holds(digests, "wire/a.py", {"t.py"})
    assert not alive.still_holds(digests, "wire/a.py", {"t.py", "u.py"})
    assert not alive.still_holds({**digests, "t.py": "d2"}, "wire/a.py", {"t.py"})


def test_results_go_on_after_an_interruption_in_the_middle_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    first = Result("k", "s1", Outcome.KILLED, "t.py::one", {"t.py": "d1"}, 3, 0.5)
    Results(file).add(first)
    with file.open("ab") as broken:
        broken.write(b'{"key":"l","sou')

    results = Results(file)
    results.add(replace(first, key="m"))

    assert (first, None) == (results.get("k"), results.get("l"))
    assert replace(first, key="m") == Results(file).get("m")


def test_judgement_needs_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "judged.toml"
    file.write_text('[[judged]]\npath = "wire/a.py"\ntext = "x = 1"\nwas = "1"\nbecomes = "2"\nreason = " "\n')

    with pytest.raises(ValueError, match="no reason"):
        read(file)


def test_judged_survivor_is_known_again_from_what_is_printed(tmp_path: Path) -> None:
    mutant = next(m for m in mutants_of("wire/gate.py", SOURCE) if m.scope == "Gate.is_open")
    file = tmp_path / "judged.toml"
    file.write_text(entry(mutant).replace('reason = ""', 'reason = "nobody can pass in that millisecond"'))

    [judged] = read(file)

    assert judged.concerns(mutant)
    assert not judged.concerns(replace(mutant, scope="close"))


def test_judgement_of_code_that_is_gone_is_told() -> None:
    kept = Judgement("wire/gate.py", "LIMIT_MS = 5", "5", "6", "why")
    gone = replace(kept, text="OTHER_MS = 5")

    assert [gone] == stale([kept, gone], mutants_of("wire/gate.py", SOURCE))


def test_share_counts_judged_survivors_as_alive() -> None:
    mutant = mutants_of("wire/gate.py", SOURCE)[0]
    tally = Tally(["wire", "provisioning"])
    for outcome in (Outcome.KILLED, Outcome.OUT_OF_TIME, Outcome.SURVIVED, Outcome.NO_TEST):
        tally.add(mutant, Result("k", "s", outcome, "", {}, 1, 2.0), is_judged=True)

    assert 0.5 == tally.killed_share
    assert ["wire", "4", "1", "1", "1", "1", "2", "50.0", "2.0"] == tally.table().splitlines()[1].split()


def test_survivor_is_told_with_its_place_and_its_change() -> None:
    [limit] = [m for m in mutants_of("wire/gate.py", SOURCE) if (m.was, m.becomes) == ("5", "6")]

    text = survivor(limit, Result("k", "s", Outcome.SURVIVED, "", {}, 7, 1.0), SOURCE)

    assert "wire/gate.py:2" in text
    assert "7 tests run it" in text
    assert "    -LIMIT_MS = 5\n    +LIMIT_MS = 6" in text


def test_files_are_sorted_and_from_the_top(tmp_path: Path) -> None:
    for name in ("wire/b.py", "wire/a/c.py", "wire/d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert ["wire/a/c.py", "wire/b.py"] == files_of(["wire", "node/core"], tmp_path)
