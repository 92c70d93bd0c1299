"""Picks the radio's driver, and joins modem, sound device, transmit key and sentences. Part of the composition root."""

from __future__ import annotations

from node.config import NodeConfig
from node.event_queue import EventQueue
from node.net.radio.ports import RadioPort


def open_radio(config: NodeConfig, queue: EventQueue) -> RadioPort | None:
    """The configured radio, not started; ``None`` where there is none."""
    if config.radio.table.driver == "none":
        return None
    raise NotImplementedError(queue)
