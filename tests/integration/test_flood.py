"""One member's flood through a real Mosquitto, the kernel's door and central, each member with an address (N8)."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess

import pytest

from demo.flood.play import Setting, play
from demo.flood.streets import Streets
from provisioning.door import TABLE, render_door

pytestmark = [
    pytest.mark.integration,
    pytest.mark.finding(14),
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces and nftables need root"),
]


def flood(setting: Setting) -> str:
    """What is said at the end."""
    out = io.StringIO()
    asyncio.run(play(out, is_json=False, setting=setting))
    return out.getvalue()


def test_junk_of_one_member_costs_no_other_an_alert() -> None:
    """The ratio is the script's to judge: on a busy machine it says nothing."""
    said = flood(Setting(kinds=("junk on the frame topic",), flood_s=10.0))

    assert " 0 lost;" in said, said


def test_door_is_what_the_kernel_understands_and_may_be_loaded_again() -> None:
    streets = Streets()
    streets.build(0)
    try:
        for _ in range(2):
            subprocess.run(
                streets.within_hall(["nft", "-f", "-"]), input=render_door(8883), text=True, check=True, timeout=120
            )
        listed = subprocess.run(
            streets.within_hall(["nft", "list", "table", "inet", TABLE]), capture_output=True, text=True, check=True
        ).stdout
    finally:
        streets.clear()

    assert "limit rate over 8 kbytes/second burst 32 kbytes" in listed
    assert "limit rate over 2/second burst 60 packets" in listed
    assert "tcp dport 8883 jump budget" in listed
