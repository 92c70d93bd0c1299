"""``python -m demo.air --folder DIR``: one air; DIR gets ``air.sock``, ``control.sock`` and recordings."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
from pathlib import Path

from demo.air.links import CNR_DB, Links
from demo.air.mixer import Mixer
from demo.air.orders import AIR_SOCKET, CONTROL_SOCKET
from demo.air.server import RADIOS_MAX, AirServer
from runtime.logs import FactLog, set_up_logging
from runtime.unix_address import socket_address


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m demo.air", description="A simulated air between fake radios.")
    parser.add_argument("--folder", type=Path, required=True, help="for sockets and recordings; must already exist")
    parser.add_argument(
        "--cnr",
        type=float,
        default=CNR_DB,
        metavar="DB",
        help="carrier-to-noise ratio of each link (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=None, help="seed of the noise (default: random)")
    options = parser.parse_args()
    set_up_logging("WARNING")
    asyncio.run(_serve(options.folder, Mixer(Links(options.cnr), options.seed)))


async def _serve(folder: Path, mixer: Mixer) -> None:
    facts = FactLog()
    radio_socket = _listening(folder / AIR_SOCKET, socket.SOCK_SEQPACKET)
    control_socket = _listening(folder / CONTROL_SOCKET, socket.SOCK_STREAM)
    serving = asyncio.create_task(AirServer(mixer, folder, facts).serve(radio_socket, control_socket))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    facts.write("on_air")
    try:
        await serving
    except asyncio.CancelledError:
        pass
    finally:
        radio_socket.close()
        control_socket.close()


def _listening(path: Path, kind: socket.SocketKind) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, kind)
    with socket_address(path) as address:
        listener.bind(address)
        Path(address).chmod(0o600)
    listener.listen(RADIOS_MAX)
    return listener


if __name__ == "__main__":
    main()
