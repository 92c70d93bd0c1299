"""The runbook is short, and a booted Debian runs all of it (tests/systemd/test_boot.py)."""

from __future__ import annotations

from typing import Final

from tests.support.runbook import NOT_RUN, RUNBOOK, blocks, here, is_run

WORDS_MAX: Final = 1_829
"""Half of what it was when everything was done by hand."""


def test_runbook_can_be_read_in_ten_minutes() -> None:
    assert len(RUNBOOK.read_text(encoding="utf-8").split()) <= WORDS_MAX


def test_what_the_boot_leaves_out_is_in_the_runbook() -> None:
    """The list of exceptions cannot grow old."""
    commands = [one for block in blocks(RUNBOOK.read_text(encoding="utf-8")).values() for one in block]

    assert [] == [beginning for beginning in NOT_RUN if not any(one.startswith(beginning) for one in commands)]
    assert len(commands) - sum(map(is_run, commands)) <= len(NOT_RUN) + 1


def test_new_block_is_one_that_the_boot_has_to_run() -> None:
    """Its name is nowhere in the boot's script, so its commands are missing from what was run."""
    found = blocks("# Runbook\n\n## A new thing\n\n```sh\nwatchlink fleet list --dir TOWN \\\n  --json   # all\n```\n")

    assert {"a_new_thing_1": ["watchlink fleet list --dir TOWN --json"]} == found
    assert "watchlink fleet list --dir /srv/town --json" == here(found["a_new_thing_1"][0])
