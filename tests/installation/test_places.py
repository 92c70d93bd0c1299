from __future__ import annotations

from installation import places


def test_central_is_not_restarted_for_what_it_looks_at_by_itself() -> None:
    """Settings for one shop must not interrupt the town."""
    central = next(one for one in places.SERVICES if one.name == "watchlink-central")

    assert "" == central.act(frozenset({places.SETTINGS, places.DIRECTORY}))
    assert "restart" == central.act(frozenset({places.SETTINGS, places.CENTRAL_TOML}))
