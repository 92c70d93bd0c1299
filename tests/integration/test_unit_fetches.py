"""F4: a unit's own program against the real enrolment service: release, bundle, a cut, and a turn that is not free."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.core import events
from appliance.identity import Identity
from appliance.net.releases import Releases
from tests.integration.test_release_downloads import SYSTEM, begun, publish, town, wait_for
from tests.support.enrolling_town import HOST, EnrollingTown
from tests.support.enrolment_thread import service_thread
from tests.support.fleet_broker import DEADLINE_S
from tests.support.published_release import bundle_in, large_bundle_in

__all__ = ["town"]

pytestmark = pytest.mark.integration


def unit_of(town: EnrollingTown, port: int, folder: Path) -> Releases:
    authority = town.fleet.folder.authority_public()
    return Releases(Identity("00000007", HOST, port, town.fleet.layout.trusted, authority), folder)


def test_unit_sees_the_release_and_fetches_its_bundle_from_where_it_was_cut(
    town: EnrollingTown, tmp_path: Path
) -> None:
    with service_thread(town) as service:
        unit = unit_of(town, service.port, tmp_path / "bundles")
        assert events.NothingNew() == unit.ask()
        bundle = bundle_in(town.fleet.layout.town, SYSTEM)
        sealed = publish(town, bundle)
        wait_for(service)

        seen = unit.ask()
        assert isinstance(seen, events.ReleaseSeen)
        assert (sealed, (bundle,)) == (seen.sealed, seen.release.bundles)
        (tmp_path / "bundles").mkdir()
        unit.path_of(bundle).with_suffix(".part").write_bytes(SYSTEM[:700_000])
        assert events.BundleFetched(bundle.sha256) == unit.fetch(bundle)
        assert SYSTEM == unit.path_of(bundle).read_bytes()


def test_unit_comes_again_when_the_service_says_so(
    town: EnrollingTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The two that read no more are not cut off before it has asked.
    monkeypatch.setattr("runtime.web_connections.OWED_WITHIN_S", DEADLINE_S)
    bundle, _ = large_bundle_in(town.fleet.layout.town, 30_000_000)
    publish(town, bundle)
    with service_thread(town) as service:
        wait_for(service)
        with begun(town, service.port, bundle), begun(town, service.port, bundle):
            busy = unit_of(town, service.port, tmp_path / "bundles").fetch(bundle)

    assert isinstance(busy, events.FetchFailed)
    assert ("cut", "The enrolment service is busy.") == (busy.why, busy.reason)
    assert busy.again_s > 0
