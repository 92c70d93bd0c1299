"""Random waits without a random module: the same state draws the same numbers, and no two nodes draw alike.

SplitMix64 (Steele, Lea, Flood: *Fast splittable pseudorandom number generators*, OOPSLA 2014) over a counter, so that
the generator is one integer in the state.
"""

from __future__ import annotations

from typing import Final

from node.core.turn import Turn

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E37_79B9_7F4A_7C15


def mixed(seed: int, node: int, draw: int) -> int:
    """A number below 2⁶⁴, as good as random, for the n-th draw of a node in a run."""
    value = ((seed & _MASK) ^ _splitmix(node)) + (draw + 1) * _GOLDEN & _MASK
    return _splitmix(value)


def draw(turn: Turn, low: int, high: int) -> int:
    """An integer in ``low`` … ``high``, both included; the next call gives another."""
    number = turn.state.radio.draws
    seed = turn.settings.radio.seed if turn.settings.radio is not None else 0
    turn.state.radio.draws = number + 1
    return low + mixed(seed, turn.settings.node, number) % (max(high - low, 0) + 1)


def _splitmix(value: int) -> int:
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ value >> 30) * 0xBF58_476D_1CE4_E5B9) & _MASK
    value = ((value ^ value >> 27) * 0x94D0_49BB_1331_11EB) & _MASK
    return value ^ value >> 31
