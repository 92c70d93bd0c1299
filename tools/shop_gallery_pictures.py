"""Photographs the office's pages about galleries in shops, with the demo's cases: the people on them are nobody.

``python -m tools.shop_gallery_pictures``. Days and times on the pictures are of the day on which they were made.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from office.nodes.store import FILE_NAME, Station, Store
from tests.support.exclusion_office import Made, RunningOffice
from tests.support.fleet_broker import wait_until
from tools.exclusion_pictures import CO_ORDINATOR, DESK, filled, photograph_all
from tools.pictures import digest
from wire.gallery_contact import Held
from wire.gallery_head import head_file
from wire.gallery_views import View, ViewHead, ViewRecord, head_of, no_views, write_view
from wire.ids import NodeId
from wire.snapshots import Town

SHOTS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "office-galleries.png": (CO_ORDINATOR, "/galleries/", DESK),
    "office-view-log.png": (CO_ORDINATOR, "/galleries/views/", DESK),
}
"""Name of the file: who looks, at which page, and how large."""
_SOURCES: Final = (
    "office/templates/in_shops",
    "office/in_shops",
    "office/static/css",
    "demo/office_stories.py",
    "tools/shop_gallery_pictures.py",
)
_HART: Final = 1
_UNITS: Final = {"Corner Shop": NodeId(0x1A2B), "Penny Books": NodeId(0x1A2C), "Night Stop": NodeId(0x1A2D)}
_STAFF: Final = {"Corner Shop": "Sam Okafor", "Penny Books": "Priya Nair"}
_HOUR_S: Final = 3_600


def made_from() -> str:
    """Digest of what the pictures show."""
    return digest(*_SOURCES)


def main(arguments: list[str]) -> int:
    """Write the pictures; or, with ``fill OFFICE.TOML``, fill the office that is photographed."""
    if arguments[:1] == ["fill"]:
        sys.stdout.buffer.write(msgspec.json.encode(_filled(arguments[1])))
        return 0

    def wait(office: RunningOffice) -> None:
        wait_until((office.folder / "snapshots" / head_file(_HART, 1)).exists, "a gallery is published")

    photograph_all("tools.shop_gallery_pictures", SHOTS, made_from(), wait)
    return 0


def _filled(config_file: str) -> Made:
    made = filled(config_file)
    from office.config import load_configuration  # noqa: PLC0415 - Django is set up now
    from office.exclusions.models import Case  # noqa: PLC0415
    from office.members.models import Premises  # noqa: PLC0415
    from office.staff.models import StaffMember  # noqa: PLC0415

    office = load_configuration(Path(config_file))
    (office.nodes_file.parent / "state").mkdir(parents=True)
    office.nodes_file.write_text("")
    shops = {one.name: one.pk for one in Premises.objects.filter(name__in=_UNITS)}
    for number, (shop, name) in enumerate(_STAFF.items(), 1):
        StaffMember.objects.create(number=number, premises_id=shops[shop], name=name)
    cases = Case.objects.filter(scheme=_HART, state="served").order_by("number").values_list("number", flat=True)
    with closing(Store(office.nodes_file.parent / "state" / FILE_NAME, office.town)) as store:
        _report(store, office.town, shops, list(cases))
    return made


def _report(store: Store, town: Town, shops: dict[str, int], cases: list[int]) -> None:
    """One unit is as it should be, one has lost contact, and one is there twice."""
    now_s = int(time.time())
    store.note_alive(now_s, "")
    store.note_stations(
        [Station(node, shops[shop], shop, "", (_HART,), has_key=True, is_struck=False) for shop, node in _UNITS.items()]
    )
    silent_s = now_s - 20 * _HOUR_S
    for shop, at_s in (("Corner Shop", now_s), ("Penny Books", now_s), ("Night Stop", silent_s)):
        node = _UNITS[shop]
        store.note_holds(node, [Held(scheme=_HART, number=1, is_complete=True)], at_s - _HOUR_S)
        store.note_contacts({node: at_s})
    for number, shop in enumerate(_STAFF, 1):
        views = _views(town, _UNITS[shop], number, cases, now_s - 5 * _HOUR_S)
        store.add_views(_UNITS[shop], views[:3], now_s - 4 * _HOUR_S)
        store.add_views(_UNITS[shop], views[3 if shop == "Corner Shop" else 4 :], now_s - 4 * _HOUR_S)
    store.is_forked(_UNITS["Penny Books"], ViewHead(n=3, digest="ab" * 32), now_s - _HOUR_S)


def _views(town: Town, node: NodeId, staff: int, cases: list[int], from_s: int) -> tuple[View, ...]:
    """A list, then persons; the last by a clock that is not proven."""
    found: list[View] = []
    head = no_views(town, node)
    for n in range(1, 7):
        case = 0 if n in {1, 4} else cases[(n + staff) % len(cases)]
        record = ViewRecord(
            n=n,
            at_s=from_s + 417 * n + 61 * staff,
            is_proven=n < 6 or staff == 1,  # noqa: PLR2004 - the last
            staff=staff,
            case=case,
            scheme=_HART if case else 0,
            kind="person" if case else "list",
            before=head.digest,
        )
        found.append(write_view(record))
        head = head_of(found[-1])
    return tuple(found)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
