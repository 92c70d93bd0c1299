from __future__ import annotations

import gc

import pytest

from runtime.loading import loading


def test_no_garbage_is_looked_for_while_loading_and_what_was_loaded_stays() -> None:
    frozen = gc.get_freeze_count()
    try:
        with loading():
            assert not gc.isenabled()
            loaded = [[number] for number in range(1_000)]

        assert gc.isenabled()
        assert gc.get_freeze_count() >= frozen + len(loaded)
    finally:
        gc.unfreeze()


def test_garbage_is_looked_for_again_when_a_module_cannot_be_loaded() -> None:
    try:
        with pytest.raises(ImportError), loading():
            raise ImportError

        assert gc.isenabled()
    finally:
        gc.unfreeze()
