"""Escalation: which step of a policy is next (C3). Central carries it out, the office's dry run plays it; both by this.

Theory. A policy is a list of steps, gone through in rounds: after the last step comes the first of the next round,
until somebody answers. A step of which nobody can be asked is skipped at once. If that is so of every step of a whole
round, nobody is asked: the place is then *before* the next round, to be looked at again.

Who can be asked is the caller's question: this knows no clock, no rota and no names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from wire.snapshots import PolicyEntry, StepEntry


class Turn(Struct, frozen=True, order=True):
    """A place in a policy.

    Attributes:
        round: from 1.
        step: index in the policy's steps, from 0.
    """

    round: int
    step: int


class Next(Struct, frozen=True):
    """What comes next.

    Attributes:
        turn: who is asked now; ``None`` = NOBODY: no step of a whole round has anybody.
        skipped: steps passed over on the way there, in their order, each with its turn.
    """

    turn: Turn | None
    skipped: tuple[tuple[Turn, StepEntry], ...] = ()


def policy_for(policies: Iterable[PolicyEntry], scheme: int, kind: str) -> PolicyEntry | None:
    """The policy for alerts of a kind (its slug) in a scheme; ``None``: it has none, and nobody is asked by one."""
    return next((one for one in policies if one.scheme == scheme and kind in one.kinds), None)


def next_turn(
    steps: Sequence[StepEntry],
    after: Turn | None,
    can_ask: Callable[[StepEntry], bool],
    *,
    anew: Sequence[StepEntry] | None = None,
) -> Next:
    """The first step after ``after`` of which somebody can be asked, at most a whole round on.

    Args:
        steps: of the round that ``after`` is in; at least one.
        after: the step that is over; ``None`` = nothing has been asked yet. After NOBODY it is the last of its round.
        can_ask: whether there is anybody for a step, now.
        anew: steps of the round that follows, if the policy has been changed; ``None`` = the same.
    """
    if after is None:
        places = [(Turn(1, index), step) for index, step in enumerate(steps)]
    else:
        rest = [(Turn(after.round, index), step) for index, step in enumerate(steps) if index > after.step]
        following = [(Turn(after.round + 1, index), step) for index, step in enumerate(steps if anew is None else anew)]
        # With the same steps, those of the rest need not be looked at twice.
        places = rest + (following if anew is not None else following[: len(steps) - len(rest)])
    for count, (turn, step) in enumerate(places):
        if can_ask(step):
            return Next(turn, tuple(places[:count]))
    return Next(None, tuple(places))
