"""What scripts print: in the order in which it happened, with the id that the press got."""

from __future__ import annotations

import asyncio
import io
import json

from demo.chronicle import Fact
from demo.story import sentence_of
from demo.telling import Teller


def tell(*facts: Fact, is_json: bool = True) -> str:
    async def run() -> str:
        out = io.StringIO()
        teller = Teller(out, is_json=is_json, now_ms=lambda: 0.0, name_of=lambda node: f"shop {node}")
        teller.begin()
        for fact in facts:
            teller.take(fact)
        await teller.end()
        return out.getvalue()

    return asyncio.run(run())


def test_teller_puts_facts_in_order_of_their_moment() -> None:
    lines = tell(Fact(20, "shown", "11", "10-1"), Fact(10, "stored", "10", "10-1")).splitlines()

    assert ["stored", "shown"] == [json.loads(line)["fact"] for line in lines]


def test_teller_gives_a_press_the_id_it_got() -> None:
    lines = tell(Fact(1, "pressed", "10", "", {"kind": "attack"}), Fact(2, "stored", "10", "10-1")).splitlines()

    assert {"at_ms": 1, "fact": "pressed", "node": "10", "alert": "10-1", "kind": "attack"} == json.loads(lines[0])


def test_teller_gives_no_press_the_id_of_another_premises() -> None:
    lines = tell(Fact(1, "pressed", "11", ""), Fact(2, "stored", "10", "10-1")).splitlines()

    assert json.loads(lines[0])["alert"] is None


def test_teller_leaves_housekeeping_out() -> None:
    assert "" == tell(Fact(1, "armed", "10", ""))


def test_story_says_only_what_is_proven() -> None:
    """A receipt is a machine's word (N3)."""
    said = sentence_of(Fact(1, "receipt", "10", "10-1", {"is_late": "false"}), lambda node: "Corner Shop")

    assert "Corner Shop: RECEIVED by central system" == said
