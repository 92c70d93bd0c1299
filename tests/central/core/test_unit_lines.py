"""What a unit says of itself reaches the page when it means something, and stays when central starts anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.journal import Recall
from central.core.unit_lines import FIRST_MOMENTS_MS, UnitFacts, facts_after
from central.core.view import NodeLine
from tests.support.central_town import CORNER, START, Town, only
from wire.ids import node_text
from wire.messages import Health, MachineReport, SettingsReport, UpdateReport

END = START + timedelta(days=60)
UPDATE = UpdateReport(serial=7, version="0.1.1", state="returned", reason="buttons did not work")


def health(version: str = "1.4", uptime_ms: int = 90_000, boot_id: str = "n1", **machine: object) -> Health:
    told = MachineReport(**machine) if machine else None  # type: ignore[arg-type]
    return Health(
        state="armed", boot_id=boot_id, version=version, uptime_ms=uptime_ms, certificate_ends_at=END, machine=told
    )


def say(town: Town, said: Health, *, is_signed: bool = False) -> list[do.Effect]:
    return town.handle(ev.HealthArrived(CORNER, said, is_signed))


def line(town: Town) -> NodeLine:
    return next(entry for entry in town.board().nodes if entry.node == node_text(CORNER))


def test_facts_are_what_the_unit_said_cleaned_for_display() -> None:
    said = health(
        profile="fake\u202e",
        system="Debian 13",
        support_ends_at=END,
        temperature_c=48,
        free_bytes=7,
        has_battery_clock=True,
        clock="ntp",
        is_speech_ready=False,
        image="0.1.0.5\u202e",
        slot="b",
        update=UPDATE,
    )

    assert UnitFacts(
        version="1.4",
        certificate_ends_at=END,
        profile="fake",
        system="Debian 13",
        support_ends_at=END,
        temperature_c=48,
        free_bytes=7,
        has_battery_clock=True,
        clock="ntp",
        is_speech_ready=False,
        image="0.1.0.5",
        slot="b",
        update=UPDATE,
    ) == facts_after(None, said, is_signed=True)


def test_older_unit_has_said_its_version_and_nothing_else() -> None:
    assert UnitFacts(version="1.3") == facts_after(
        None, Health(state="armed", boot_id="n1", version="1.3"), is_signed=True
    )


@pytest.mark.parametrize("is_moment", [True, False], ids=["first moments", "later"])
def test_what_became_of_settings_is_told_at_once(is_moment: bool) -> None:  # noqa: FBT001 - what the case is about
    report = SettingsReport(serial=7, state="returned", reason="radio: mute")
    said = Health(
        state="armed", boot_id="n1", uptime_ms=0 if is_moment else FIRST_MOMENTS_MS, settings=report, version="1.4"
    )

    assert report == facts_after(UnitFacts(version="1.4"), said, is_signed=True).settings


@pytest.mark.parametrize(("degrees_c", "told_c"), [(52, 48), (44, 48), (53, 53), (43, 43)])
def test_temperature_is_told_again_from_five_degrees_on(degrees_c: int, told_c: int) -> None:
    before = facts_after(None, health(temperature_c=48), is_signed=True)

    assert told_c == facts_after(before, health(temperature_c=degrees_c), is_signed=True).temperature_c


@pytest.mark.parametrize(("free", "told"), [(1_099, 1_000), (1_100, 1_100), (901, 1_000), (900, 900), (0, 0)])
def test_free_room_is_told_again_from_a_tenth_on(free: int, told: int) -> None:
    before = facts_after(None, health(free_bytes=1_000), is_signed=True)

    assert told == facts_after(before, health(free_bytes=free), is_signed=True).free_bytes


def test_run_that_has_not_read_its_machine_yet_takes_nothing_away() -> None:
    before = facts_after(None, health(temperature_c=48), is_signed=True)
    soon = facts_after(before, health("1.5", uptime_ms=FIRST_MOMENTS_MS - 1), is_signed=True)
    late = facts_after(before, health("1.5", uptime_ms=FIRST_MOMENTS_MS), is_signed=True)

    assert ((48, "1.5"), (None, "1.5")) == ((soon.temperature_c, soon.version), (late.temperature_c, late.version))


def test_page_is_told_when_a_fact_changes_and_not_at_each_heartbeat(town: Town) -> None:
    say(town, health(temperature_c=48, free_bytes=1_000))
    steady = say(town, health(temperature_c=49, free_bytes=1_001))
    hot = say(town, health(temperature_c=81, free_bytes=1_001))

    assert [] == [effect for effect in steady if isinstance(effect, do.ShowChange)]
    assert 81 == only(hot, do.ShowChange)[0].change.nodes[0].facts.temperature_c  # type: ignore[union-attr]


def test_facts_of_a_silent_unit_are_known_after_a_restart_of_central(town: Town) -> None:
    say(town, health(temperature_c=48))
    town.later(1)
    (kept,) = [effect for effect in town.later(301) if isinstance(effect, do.KeepNodes)]
    again = Town(Recall(nodes=kept.nodes))

    assert (END, 48, "1.4") == (
        line(again).facts.certificate_ends_at,  # type: ignore[union-attr]
        line(again).facts.temperature_c,  # type: ignore[union-attr]
        line(again).version,
    )


@pytest.mark.parametrize(("is_signed", "image"), [(True, "0.1.0.5"), (False, "")])
def test_system_that_runs_is_believed_if_the_unit_has_signed_it(
    town: Town,
    is_signed: bool,  # noqa: FBT001 - what the case is about
    image: str,
) -> None:
    say(town, health(image="0.1.0.5", slot="a", update=UPDATE), is_signed=is_signed)
    facts = line(town).facts
    assert facts is not None

    assert (image, is_signed, is_signed) == (facts.image, facts.slot == "a", facts.update == UPDATE)


def test_booted_system_is_known_after_a_restart_of_central(town: Town) -> None:
    say(town, health(image="0.1.0.5", slot="a", update=UPDATE), is_signed=True)
    town.later(1)
    (kept,) = [effect for effect in town.later(301) if isinstance(effect, do.KeepNodes)]
    facts = line(Town(Recall(nodes=kept.nodes))).facts

    assert ("0.1.0.5", "a", UPDATE) == (facts.image, facts.slot, facts.update)  # type: ignore[union-attr]


def booted(town: Town) -> tuple[str, str | None, UpdateReport | None]:
    facts = line(town).facts
    assert facts is not None
    return facts.image, facts.slot, facts.update


def test_what_nobody_signed_takes_no_update_away(town: Town) -> None:
    say(town, health(image="0.1.0.5", slot="a", update=UPDATE), is_signed=True)
    say(town, health(boot_id="n2", uptime_ms=0))
    soon = booted(town)
    say(town, health(boot_id="n2", image="0.1.0.6", slot="b"))

    assert soon == booted(town) == ("0.1.0.5", "a", UPDATE)


def test_run_that_has_not_read_its_machine_yet_is_not_shown_with_the_slot_of_before(town: Town) -> None:
    say(town, health(image="0.1.0.5", slot="a", update=UPDATE), is_signed=True)
    say(town, health(boot_id="n2", uptime_ms=0))  # By somebody who knows of the new run, and cannot sign for it.
    say(town, health(boot_id="n2", uptime_ms=0), is_signed=True)
    soon = booted(town)
    say(town, health(boot_id="n2", image="0.1.0.6", slot="b"), is_signed=True)

    assert (("", None, None), ("0.1.0.6", "b", None)) == (soon, booted(town))
