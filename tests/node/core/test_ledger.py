"""The maps that share what did not change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from node.core.ledger import Ledger, Shelf
from wire.ids import FrameId, NodeId


@given(st.lists(st.tuples(st.booleans(), st.integers(-300, 300), st.integers()), max_size=200), st.integers(-310, 310))
def test_ledger_is_a_map_in_order_that_never_changes(changes: list[tuple[bool, int, int]], probe: int) -> None:
    ledger: Ledger[int] = Ledger()
    model: dict[int, int] = {}
    history: list[tuple[Ledger[int], dict[int, int]]] = []
    for is_put, key, value in changes:
        history.append((ledger, dict(model)))
        if is_put:
            ledger, model[key] = ledger.put(key, value), value
        else:
            ledger = ledger.drop(key)
            model.pop(key, None)

    for old, was in [*history[-20:], (ledger, model)]:
        assert sorted(was.items()) == list(old.oldest())
        assert sorted(was.items(), reverse=True) == list(old.newest())
        assert len(was) == len(old)
        assert Ledger(was.items()) == old
    assert (probe in model) == (probe in ledger)
    assert model.get(probe) == ledger.get(probe)
    assert min(((k, v) for k, v in model.items() if k >= probe), default=None) == ledger.first_from(probe)


@given(st.dictionaries(st.tuples(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1)), st.integers(1), max_size=50))
def test_shelf_is_a_map_that_never_changes(rows: dict[tuple[int, int], int]) -> None:
    shelf: Shelf[int] = Shelf()
    for (node, counter), value in rows.items():
        before = shelf
        shelf = shelf.put(FrameId(NodeId(node), counter), value)
        assert len(shelf) == len(before) + 1
        assert None is before.get(FrameId(NodeId(node), counter))

    assert shelf == Shelf((FrameId(NodeId(n), c), v) for (n, c), v in rows.items())
    assert all(shelf.get(FrameId(NodeId(n), c)) == v for (n, c), v in rows.items())
