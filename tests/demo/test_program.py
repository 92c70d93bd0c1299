"""A program of the town leaves what it writes in the town's folder, where a search for leaks reads it."""

from __future__ import annotations

import asyncio
import sys

from demo.program import Life
from demo.town import Town

ODD = """import sys
fact = lambda what: sys.stdout.write('{"fact": "' + what + '"}')
fact("long" + " " * 2_000_000)
print()
fact("whole")
print()
fact("without an end of line")
"""
SAYS = "import sys, tempfile; print(tempfile.gettempdir()); print('not a fact'); sys.stderr.write('a warning')"


def test_both_outputs_and_temporary_files_are_in_the_towns_folder(town: Town) -> None:
    program = town.program("speaker", [sys.executable, "-c", SAYS], "")

    async def until_it_ends() -> None:
        await program.start()
        await town.notice.until(lambda: program.life is Life.DIED, "it has ended", 60)

    asyncio.run(until_it_ends())

    assert f"{town.temporary}\nnot a fact\n" == (town.folder / "speaker.out").read_text()
    assert "a warning" == (town.folder / "speaker.log").read_text()
    assert town.temporary.is_relative_to(town.folder)


def test_line_too_long_for_a_fact_is_written_down_all_the_same(town: Town) -> None:
    facts: list[str] = []
    program = town.program("speaker", [sys.executable, "-c", ODD], "", take=lambda line: facts.append(line["fact"]))

    async def until_it_ends() -> None:
        await program.start()
        await town.notice.until(lambda: program.life is Life.DIED, "it has ended", 60)

    asyncio.run(until_it_ends())

    assert ["whole", "without an end of line"] == facts
    assert 2_000_000 < (town.folder / "speaker.out").stat().st_size
