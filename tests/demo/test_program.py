"""A program of the town leaves what it writes in the town's folder, where a search for leaks reads it."""

from __future__ import annotations

import asyncio
import sys

from demo.program import Life, is_frozen
from demo.town import Town

ODD = """import sys
fact = lambda what: sys.stdout.write('{"fact": "' + what + '"}')
fact("long" + " " * 2_000_000)
print()
fact("whole")
print()
fact("without an end of line")
"""
SPINS = """import threading
def spin():
    print('{"fact": "spins"}', flush=True)
    while True:
        pass
threading.Thread(target=spin).start()
while True:
    pass
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


def test_program_that_is_frozen_has_stopped_in_all_its_threads_until_it_is_thawed(town: Town) -> None:
    is_spinning = asyncio.Event()
    program = town.program("spinner", [sys.executable, "-c", SPINS], "", take=lambda _: is_spinning.set())

    async def freeze_and_thaw() -> list[bool]:
        await program.start()
        assert program.pid is not None
        await is_spinning.wait()
        seen = [is_frozen(program.pid)]
        await program.freeze()
        seen.append(is_frozen(program.pid))
        program.thaw()
        seen.append(is_frozen(program.pid))
        await program.kill()
        return seen

    assert [False, True, False] == asyncio.run(freeze_and_thaw())
