"""Keys of texts: each line's its own, and none to be found from another."""

from __future__ import annotations

from office.gallery.line_keys import TextKeys
from wire.signing import SigningKey
from wire.snapshots import Town

TOWN, OTHER = (Town(SigningKey(seed * 32).public) for seed in (b"a", b"b"))


def test_each_line_has_a_key_of_its_own_and_always_the_same() -> None:
    keys = TextKeys(b"g" * 32, TOWN)
    places = [(1, 17, 4), (2, 17, 4), (1, 18, 4), (1, 17, 5), (1, 1, 74), (11, 7, 4)]
    found = [keys.of(*place) for place in places]
    found += [TextKeys(b"h" * 32, TOWN).of(1, 17, 4), TextKeys(b"g" * 32, OTHER).of(1, 17, 4)]

    assert len(set(found)) == len(found)
    assert {len(key) for key in found} == {32}
    assert TextKeys(b"g" * 32, TOWN).of(1, 17, 4) == found[0]
