"""``python -m demo.flood [--open-door] [--one-connection]``: what the door and the second connection are good for."""

import argparse
import asyncio
import sys

from demo.flood.flooder import KINDS
from demo.flood.play import Setting, play

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m demo.flood")
    parser.add_argument("--open-door", action="store_true", help="without the broker's door")
    parser.add_argument("--one-connection", action="store_true", help="alerts share central's connection")
    parser.add_argument("--only", choices=KINDS, help="this flood and no other")
    options = parser.parse_args()
    kinds = tuple(KINDS) if options.only is None else (options.only,)
    setting = Setting(not options.open_door, not options.one_connection, kinds)
    sys.exit(0 if asyncio.run(play(sys.stdout, is_json=False, setting=setting)) else 1)
