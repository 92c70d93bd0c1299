"""A fleet of three premises and its broker, as the node's integration tests see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from provisioning.fleet import Fleet
from tests.support.mosquitto import Mosquitto

SHOP, PUB, BOTH = "00000010", "00000011", "00000012"


@dataclass
class Town:
    """A fleet of three, and its broker."""

    fleet: Fleet
    broker: Mosquitto

    def folder(self, node: str) -> Path:
        return self.fleet.node_folder(node)
