"""The gallery's line of ``node check``: off is no fault, broken is one, and each says what to do."""

from __future__ import annotations

import pytest

from node.check.gallery import FILE, KEY, gallery_steps
from node.step import Outcome
from tests.support.fitted_unit import FittedUnit
from wire.gallery_status import status_line


def claimed(fitted: FittedUnit, *more: str) -> None:
    """As the claim leaves it."""
    for name in (KEY, *more):
        (fitted.folder / name).touch()


def test_unit_with_keys_of_the_fleet_has_no_gallery_and_says_how_to_get_one(fitted: FittedUnit) -> None:
    (step,) = gallery_steps(fitted.folder)

    assert (Outcome.NOT_DONE, "off: the keys of this unit were made by the fleet, and a gallery makes its own") == (
        step.outcome,
        step.text,
    )
    assert "fleet replace" in step.advice


def test_unit_without_an_office_has_no_gallery_and_says_so(fitted: FittedUnit) -> None:
    claimed(fitted)
    step, *_ = gallery_steps(fitted.folder)

    assert (Outcome.NOT_DONE, "off: the seed of this unit named no office") == (step.outcome, step.text)
    assert "gallery.toml" in step.advice


@pytest.mark.parametrize(
    ("told", "outcome", "text"),
    [
        ({"LoadState": "not-found"}, Outcome.NOT_DONE, "watchlink-gallery.service is not installed here"),
        (
            {"ActiveState": "activating", "StatusText": "no card"},
            Outcome.BAD,
            "watchlink-gallery.service is activating: no card",
        ),
        ({"StatusText": "HART: 12 shown, 0 on their way"}, Outcome.OK, "HART: 12 shown, 0 on their way"),
        *(
            (
                {"StatusText": f"No contact with the office {when}. x"},
                Outcome.BAD,
                f"No contact with the office {when}. x",
            )
            for when in ("yet", "any more")
        ),
        ({"StatusText": ""}, Outcome.OK, "it runs"),
    ],
)
def test_gallery_is_as_systemd_and_itself_say(
    fitted: FittedUnit, told: dict[str, str], outcome: Outcome, text: str
) -> None:
    claimed(fitted, FILE)
    fitted.systemd(**told)
    step, *_ = gallery_steps(fitted.folder)

    assert (outcome, text) == (step.outcome, step.text)
    assert bool(step.advice) == (outcome is not Outcome.OK)


def test_gallery_without_contact_is_no_good_news_and_says_where_to_look(fitted: FittedUnit) -> None:
    claimed(fitted, FILE)
    fitted.systemd(StatusText=status_line("There is no gallery on this unit yet.", was_heard=False, is_heard=False))
    step, *_ = gallery_steps(fitted.folder)

    assert Outcome.BAD == step.outcome
    assert [] == [one for one in ("network", "gallery.toml", "watchlink-office-nodes") if one not in step.advice]


def sockets_are(fitted: FittedUnit, **told: str) -> None:
    """Systemd says this of them, by a word of their names, and that the gallery runs."""
    claimed(fitted, FILE)
    cases = "".join(f"*{name}[.-]*) told='{state}' ;;\n" for name, state in told.items())
    program = fitted.programs / "systemctl"
    program.write_text(
        f'#!/bin/sh\ntold=\'LoadState=loaded\nActiveState=active\'\ncase "$2" in\n{cases}esac\necho "$told"\n'
    )
    program.chmod(0o755)


SHUT = "LoadState=loaded\nActiveState=failed"
FOUND = "find the gallery at http://UNIT/fit and https://UNIT/, by the unit's address"
ANNOUNCED = "ActiveState=active\nDropInPaths=/etc/systemd/system/avahi-daemon.service.d/watchlink.conf"
BOTH = {"http": SHUT, "https": SHUT}


@pytest.mark.parametrize(
    ("told", "outcome", "text"),
    [
        (
            {"avahi": ANNOUNCED},
            Outcome.OK,
            f"{FOUND} or name",
        ),
        (
            {"avahi": "ActiveState=active\nDropInPaths="},
            Outcome.OK,
            f"{FOUND}: avahi-daemon announces another name until 'watchlink node install' is run again",
        ),
        (
            {"avahi": "LoadState=not-found\nActiveState=inactive"},
            Outcome.OK,
            f"{FOUND}: nobody announces its name",
        ),
        ({"http": SHUT}, Outcome.BAD, "find no gallery at port 80, which another program may have"),
        (
            {"http": SHUT, "https": SHUT},
            Outcome.BAD,
            "find no gallery at port 80 and 443, which another program may have",
        ),
        ({"https": "LoadState=not-found"}, Outcome.NOT_DONE, "this unit opens no ports for them yet"),
    ],
)
def test_port_that_another_program_has_is_named(
    fitted: FittedUnit, told: dict[str, str], outcome: Outcome, text: str
) -> None:
    sockets_are(fitted, **told)
    gallery, tablets = gallery_steps(fitted.folder)

    assert (Outcome.OK, "gallery") == (gallery.outcome, gallery.name)
    assert (outcome, "tablets", text) == (tablets.outcome, tablets.name, tablets.text)
    assert bool(tablets.advice) == (outcome is not Outcome.OK)
