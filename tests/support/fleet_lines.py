"""Units as the fleet page gets them: one of each trouble, and many that are in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from central.core.unit_lines import UnitFacts
from central.core.view import NodeLine, RadioLine
from wire.messages import UpdateReport

NOW = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)
IMAGE = "0.1.0.202611280725"
WELL = UnitFacts(
    version="0.1.0",
    certificate_ends_at=NOW + timedelta(days=70),
    profile="ssd1309-128x64",
    system="Debian GNU/Linux 13 (trixie)",
    support_ends_at=datetime(2028, 8, 10, tzinfo=UTC),
    temperature_c=48,
    free_bytes=2_900_000_000,
    has_battery_clock=True,
    clock="ntp",
    is_speech_ready=True,
)


def facts(**fields: Any) -> UnitFacts:  # noqa: ANN401
    """Of a unit in order, but for these."""
    return UnitFacts(**{**{name: getattr(WELL, name) for name in WELL.__struct_fields__}, **fields})


def unit(number: int, premises: str = "Corner Shop", place: str = "High St", **fields: Any) -> NodeLine:  # noqa: ANN401
    """The line of a unit in order, but for these."""
    told = {
        "schemes": ("hart",),
        "scheme_numbers": (1,),
        "state": "ok",
        "since": NOW - timedelta(hours=2),
        "last_seen_at": NOW - timedelta(seconds=4),
        "version": "0.1.0",
        "radio": RadioLine(state="ready", tested_at=NOW - timedelta(hours=2)),
        "facts": WELL,
        **fields,
    }
    return NodeLine(node=f"{number:08x}", premises=premises, place=place, **told)


def troubled() -> tuple[NodeLine, ...]:
    """One of each trouble, and two that are in order: of today, and of an older version."""
    return (
        unit(
            0x11,
            "Corner Shop",
            facts=facts(image=IMAGE, slot="b", update=UpdateReport(serial=1, version=IMAGE, state="taken")),
        ),
        unit(0x12, "The Crown", "Market Place", version="0.0.9", facts=UnitFacts(version="0.0.9"), radio=None),
        unit(
            0x13,
            "Bell’s Outdoor",
            "Mill Lane",
            state="no-contact",
            last_seen_at=NOW - timedelta(days=15, hours=1),
            facts=facts(certificate_ends_at=NOW + timedelta(days=9)),
        ),
        unit(0x14, "The Railway Arms", "Station Rd", facts=facts(free_bytes=120_000_000)),
        unit(0x15, "Market Pharmacy", facts=facts(temperature_c=84, clock="none"), faults=("clock: not proven",)),
        unit(
            0x16,
            "Vine & Barrel",
            "Church Gate",
            state="fault",
            faults=("oled: no acknowledgement from address 0x3c",),
        ),
        unit(0x17, "Fox & Goose", "Cank St", facts=facts(certificate_ends_at=NOW - timedelta(days=2))),
        unit(0x18, "Gas & Co", "King St", state="stopped"),
        unit(
            0x19,
            "Tea Room",
            "Cank St",
            facts=facts(system="Debian GNU/Linux 12 (bookworm)", support_ends_at=NOW - timedelta(days=170)),
        ),
        unit(0x1A, "Old Mill", "Mill Lane", facts=facts(is_speech_ready=False), is_weekly_test_overdue=True),
        unit(0x1B, "Pneumonoultramicroscopicsilicovolcanoconiosis", "A very long name of a street", state="revoked"),
        unit(0x1C, "New Café", "High St", state="never-seen", last_seen_at=None, version="", facts=None, radio=None),
        unit(
            0x1D,
            "Bridge Inn",
            "The Quay",
            facts=facts(
                image=IMAGE,
                slot="a",
                update=UpdateReport(
                    serial=2, version="0.1.1.202612200900", state="returned", reason="buttons did not work"
                ),
            ),
        ),
        unit(0x20, "Control room radio", "Town Hall", is_gateway=True),
    )
