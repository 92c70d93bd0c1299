"""``python -m demo.flood [--open-door] [--one-connection]``: shows what the door and the second connection do."""

import argparse
import asyncio
import sys

from demo.flood.flooder import KINDS
from demo.flood.play import Setting, play

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m demo.flood")
    parser.add_argument("--open-door", action="store_true", help="switch off the broker's admission limits")
    parser.add_argument("--one-connection", action="store_true", help="let alerts share central's other connection")
    parser.add_argument("--only", choices=KINDS, help="play this flood only")
    options = parser.parse_args()
    kinds = tuple(KINDS) if options.only is None else (options.only,)
    setting = Setting(not options.open_door, not options.one_connection, kinds)
    sys.exit(0 if asyncio.run(play(sys.stdout, is_json=False, setting=setting)) else 1)
