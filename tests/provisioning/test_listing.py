"""What will go wrong soon is said in time, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import msgspec
import pytest

from provisioning.certificates import AUTHORITY_LIFE
from provisioning.errors import BrokerUnprovenError
from provisioning.fleet import Fleet
from provisioning.issuer_changes import new_root
from provisioning.listing import as_table, list_fleet
from provisioning.records import encode_record


class Clock(Protocol):
    """As in conftest."""

    pass_by: Callable[[timedelta], None]


def nobody_to_tell() -> None:
    raise BrokerUnprovenError("no broker in this test")


def test_list_is_quiet_about_a_young_fleet(fleet: Fleet) -> None:
    fleet.add("Corner Shop", "High St", ["hart"])

    assert list_fleet(fleet).warnings == ()


def test_list_warns_twenty_days_before_the_broker_would_refuse_everybody(fleet: Fleet, clock: Clock) -> None:
    clock.pass_by(timedelta(days=9))
    quiet = list_fleet(fleet).warnings
    clock.pass_by(timedelta(days=1))

    assert quiet == ()
    assert list_fleet(fleet).warnings == (
        "The revocation list expires in 20 days, then the broker refuses everybody: run 'watchlink fleet renew-crl'.",
    )


def test_list_says_that_the_broker_refuses_everybody(fleet: Fleet, clock: Clock) -> None:
    clock.pass_by(timedelta(days=30))

    assert list_fleet(fleet).warnings[0].startswith("The revocation list has expired, and the broker refuses everybody")


def test_list_warns_of_a_list_that_is_gone(fleet: Fleet) -> None:
    """Mosquitto fails open then."""
    (fleet.layout.broker / "crl.pem").unlink()

    assert "lets everybody in" in list_fleet(fleet).warnings[0]


def test_list_warns_of_each_certificate_before_its_end_but_not_of_a_revoked_nodes(fleet: Fleet, clock: Clock) -> None:
    fleet.add("Corner Shop", "High St", ["hart"])
    fleet.add("Bakery", "High St", ["hart"])
    with pytest.raises(BrokerUnprovenError):
        fleet.revoke("00000011", nobody_to_tell)
    clock.pass_by(timedelta(days=75))

    warnings = "\n".join(list_fleet(fleet).warnings)

    assert "Corner Shop's certificate expires in 15 days: 'watchlink fleet renew 00000010'." in warnings
    assert "Central's certificate expires in 15 days: 'watchlink fleet renew central'." in warnings
    assert "The broker's certificate expires in 15 days: 'watchlink fleet renew broker'." in warnings
    assert "Bakery" not in warnings


def test_list_warns_a_year_before_the_root_ends_until_there_is_another(fleet: Fleet, clock: Clock) -> None:
    clock.pass_by(AUTHORITY_LIFE - timedelta(days=366))
    quiet = [one for one in list_fleet(fleet).warnings if "root" in one]
    clock.pass_by(timedelta(days=1))
    (warning,) = (one for one in list_fleet(fleet).warnings if "root" in one)
    new_root(fleet.folder, is_replacement=True)

    assert [] == quiet == [one for one in list_fleet(fleet).warnings if "The root" in one]
    assert warning.startswith("The root root-1 ends in 365 days: put its key back and run 'watchlink fleet new-root")


def test_renewing_ends_the_warning(fleet: Fleet, clock: Clock) -> None:
    clock.pass_by(timedelta(days=75))
    for who in ("central", "alerts", "broker"):
        fleet.renew(who)
    with pytest.raises(BrokerUnprovenError):
        fleet.enforce(nobody_to_tell)

    assert [True] == ["NOT PROVEN" in one for one in list_fleet(fleet).warnings]


def test_table_shows_which_one_is_the_gateway(fleet: Fleet) -> None:
    fleet.add("Town Hall", "Square", ["hart"], kind="gateway")

    assert as_table(list_fleet(fleet)).splitlines()[1].startswith("00000010  Town Hall (gateway)  Square")
    assert ["gateway"] == [row.kind for row in list_fleet(fleet).nodes]


def test_table_shows_who_is_revoked(fleet: Fleet) -> None:
    fleet.add("Corner Shop", "High St", ["hart", "pubwatch"])
    with pytest.raises(BrokerUnprovenError):
        fleet.revoke("00000010", nobody_to_tell)

    assert as_table(list_fleet(fleet)).splitlines()[:2] == [
        "NODE      PREMISES     PLACE    SCHEMES        CERTIFICATE UNTIL  REVOKED",
        "00000010  Corner Shop  High St  hart pubwatch  2027-05-30         2027-03-01",
    ]


def test_fleet_from_before_alerts_had_a_connection_says_so_until_it_is_made(fleet: Fleet) -> None:
    record = fleet.record
    before = msgspec.structs.replace(record, central=msgspec.structs.replace(record.central, alerts_certificates=()))
    fleet.layout.record.write_bytes(encode_record(before))
    old = Fleet.open(fleet.layout.town)
    assert ["Alerts have no connection of their own"] == [w[:38] for w in list_fleet(old).warnings]
    (fleet.layout.central / "alerts.pem").unlink()

    old.renew("alerts")

    assert (fleet.layout.central / "alerts.pem").exists()
    assert () == list_fleet(old).warnings
