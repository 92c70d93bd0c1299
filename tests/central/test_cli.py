"""How central's program begins."""

from __future__ import annotations

import subprocess
import sys

BEGIN = """
import gc
from central.cli import main
print(main(["--config", "/nowhere/central.toml"]), gc.isenabled(), gc.get_freeze_count() > 50_000)
"""


def test_no_garbage_is_looked_for_in_the_program_itself() -> None:
    """A look through all that it imports takes 75 ms, in which no alert is answered."""
    said = subprocess.run([sys.executable, "-c", BEGIN], capture_output=True, text=True, check=True)

    assert "2 True True\n" == said.stdout
