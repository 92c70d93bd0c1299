"""How the node is, for the program that updates its machine: whether it works, and whether that may restart now."""

from __future__ import annotations

from node.core.link import configuring
from node.core.state import NodeState, stuck_buttons
from node.core.table import PathPhase
from wire.ids import node_text
from wire.unit_files import Vitals


def vitals(state: NodeState) -> Vitals:
    """As of the last step. Whoever writes it says when."""
    is_running = state.is_started and not state.is_stopping
    return Vitals(
        node=node_text(state.settings.node),
        boot_id=state.boot_id,
        written_at_ms=0,
        is_armed=is_running and state.is_store_read,
        is_linked=state.central.path is PathPhase.PROVEN,
        may_restart=is_running and configuring.may_restart(state),
        is_on_air=state.radio.over is not None,
        faulty=tuple(sorted(state.faults)),
        stuck=tuple(sorted(stuck_buttons(state.buttons))),
    )
