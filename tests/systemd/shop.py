"""Runs inside the booted root: somebody presses a unit's button, and reads its panel until central has the alert.

``shop.py SOCKET BUTTON`` writes a line of JSON: which faces the panel showed, and the words that stood there at last.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import Final

from node.hw.fake_board_client import FakeBoardClient

HOLD_MS: Final = {"attack": 1_200, "assist": 200}


def main(socket: Path, button: str) -> None:
    """Press once the panel no longer shows an earlier alert of ours."""
    with FakeBoardClient(socket) as board:
        board.wait_for(lambda view: view.face not in {"", "boot", "received", "undelivered"}, what="an idle panel")
        board.press(button, HOLD_MS[button])
        view = board.wait_for_face("received")
        seen = [face for face, _ in groupby(board.faces_seen)]
    json.dump({"faces": seen, "headline": view.headline, "lines": view.lines}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
