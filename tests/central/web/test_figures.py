"""The month's figures as a file for spreadsheets (N11)."""

from __future__ import annotations

import asyncio
import csv
import io

import pytest

from central.core.unit_lines import PathFigures
from central.web.figures import figures_csv
from tests.central.web.conftest import OpenClient
from tests.central.web.scripted_board import ScriptedBoard, Way, healthy


def figures(
    month: str, path: Way = "network", *, available_percent: float | None = 99.5, most_s: int | None = 8
) -> PathFigures:
    return PathFigures(
        month=month,
        path=path,
        watched_minutes=600,
        available_percent=available_percent,
        frames=12,
        late=1,
        deliveries=9,
        median_s=1,
        most_s=most_s,
    )


def board_with(*rows: PathFigures, premises: str = "Corner Shop") -> ScriptedBoard:
    board = ScriptedBoard()
    board.show_nodes(healthy("00000010", premises, figures=rows), healthy("00000011", "Bakery"))
    return board


def test_figures_are_a_line_for_each_month_premises_and_path() -> None:
    board = board_with(figures("2026-11"), figures("2026-11", "radio", available_percent=None, most_s=None))

    head, network, radio = csv.reader(io.StringIO(figures_csv(board.board())))

    assert dict(zip(head, network, strict=True)) == {
        "month": "2026-11",
        "node": "00000010",
        "premises": "Corner Shop",
        "place": "High St",
        "path": "network",
        "watched minutes": "600",
        "available %": "99.5",
        "frames": "12",
        "late alerts": "1",
        "timed alerts": "9",
        "half committed within s": "1",
        "95 % committed within s": "8",
    }
    assert ["radio", "600", "", "12", "1", "9", "1", ""] == radio[4:]


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x","a")', "＝1+1"])
def test_name_that_looks_like_a_formula_is_text(name: str) -> None:
    """A spreadsheet would run it."""
    board = board_with(figures("2026-11"), premises=name)

    [_, row] = csv.reader(io.StringIO(figures_csv(board.board())))

    assert f"'{name}" == row[2]


def test_figures_are_downloaded_as_a_file(open_client: OpenClient) -> None:
    async def ask() -> tuple[str, str, str]:
        async with open_client(board_with(figures("2026-11"))) as client:
            answer = await client.get("/figures.csv")
            return answer.headers["content-type"], answer.headers["content-disposition"], answer.text

    kind, disposition, text = asyncio.run(ask())
    assert kind.startswith("text/csv")
    assert 'attachment; filename="watchlink-figures-' in disposition
    assert 2 == len(text.splitlines())
