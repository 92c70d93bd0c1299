"""The configuration as the engineer gets it (D)."""

from __future__ import annotations

import re

import pytest

from node.diagnosis.settings import names_in, settings
from tests.support.fitted_unit import NODE, FittedUnit

DOCUMENTED = re.compile(r"^(\w+) = ", re.MULTILINE)


def test_every_key_is_told_and_no_name(fitted: FittedUnit) -> None:
    told = settings(fitted.file)

    assert (NODE, [1], 15, "fake") == (
        told["identity.node"],
        told["identity.schemes"],
        told["mqtt.keepalive_s"],
        told["hardware.profile"],
    )
    assert "(set, left out)" == told["identity.premises"]
    assert "(a loopback IPv4 address, left out)" == told["mqtt.host"]
    assert "Corner" not in str(told)


@pytest.mark.parametrize(
    ("line", "key", "seen"),
    [
        ('[radio]\ndriver = "sound"', "radio.driver", "sound"),
        ('[radio]\ndriver = "Jo"', "radio.driver", "(set, left out)"),
        ('[radio]\nlicence = "1234567/1"', "radio.licence", "(set, left out)"),
        ('[radio]\nlicence = ""', "radio.licence", ""),
        ('[radio.sound]\ninput = "default"', "radio.sound.input", "default"),
        ('[radio.sound]\ninput = "plughw:CARD=Jo"', "radio.sound.input", "(set, left out)"),
        ('[radio.ptt]\nserial = "/dev/ttyUSB1"', "radio.ptt.serial", "/dev/ttyUSB1"),
        ('[radio.ptt]\nserial = "/srv/jo"', "radio.ptt.serial", "(set, left out)"),
        ("[radio.ptt]\ngpio = 12", "radio.ptt.gpio", 12),
        ('[Jo]\nx = "y"', "unknown keys", 1),
        ('[identity.Jo]\nx = "y"', "unknown keys", 1),
    ],
)
def test_value_is_told_only_if_it_can_name_nothing(fitted: FittedUnit, line: str, key: str, seen: object) -> None:
    fitted.change("[hardware]", f"{line}\n[hardware]")

    assert seen == settings(fitted.file)[key]


def test_file_that_is_no_toml_is_told_without_its_text(fitted: FittedUnit) -> None:
    fitted.file.write_text('[identity]\npremises = "Corner Shop"\nJo Smith\n')

    assert {"not TOML": "(at line 3, column 4)", "lines": 3} == settings(fitted.file)
    assert ["Corner Shop"] == names_in(fitted.file)
