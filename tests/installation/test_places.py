"""What belongs on a machine, and what of Debian's."""

from __future__ import annotations

import re
from itertools import chain

from installation import node_places, places
from tests.support.booted_system import REPOSITORY
from tests.support.debian_root import PACKAGES


def test_central_is_not_restarted_for_what_it_looks_at_by_itself() -> None:
    """Settings for one shop must not interrupt the town."""
    central = next(one for one in places.SERVICES if one.name == "watchlink-central")

    assert "" == central.act(frozenset({places.SETTINGS, places.DIRECTORY}))
    assert "restart" == central.act(frozenset({places.SETTINGS, places.CENTRAL_TOML}))


def test_package_names_what_install_asks_for() -> None:
    """A unit in a shop needs no broker, and Debian's would start at once: so they are suggested, and 'install' asks."""
    control = dict(re.findall(r"^(Recommends|Suggests): (.+)$", (REPOSITORY / "scripts/deb").read_text(), re.MULTILINE))

    of_nodes = (
        node_places.PACKAGES,
        node_places.BOARD_PACKAGES,
        (node_places.PINS_PACKAGE,),
        node_places.SOUND_PACKAGES,
        ("rauc", "mtools"),  # 'fleet release' makes bundles with them, and says so where they are missing.
    )
    assert [*places.PACKAGES, *chain(*of_nodes)] == control["Suggests"].split(", ")
    assert ", ".join(places.OFFICE_PACKAGES) == control["Recommends"]
    assert {*places.PACKAGES, *places.OFFICE_PACKAGES, *node_places.PACKAGES} <= set(PACKAGES)
