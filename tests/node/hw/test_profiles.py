"""F6: hardware profiles with real pins."""

from __future__ import annotations

import pytest

from node.core.controls import Button
from node.hw.profiles import DEFAULT_PROFILE, PROFILES, RADIO_PINS, Bus, Driver, Profile, profile_named

PULLED_DOWN_AT_POWER_UP = range(9, 28)

every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())


@every_profile
def test_profile_has_a_pin_for_every_button(profile: Profile) -> None:
    assert set(Button) == set(profile.buttons)


@every_profile
def test_profile_uses_no_pin_twice_and_none_of_the_radios(profile: Profile) -> None:
    used = [*profile.buttons.values(), profile.led_pin, profile.sounder_pin, *profile.panel.pins]

    assert sorted(set(used)) == sorted(used)
    assert set() == RADIO_PINS & set(used)


@every_profile
def test_profile_lights_and_sounds_nothing_before_the_program_runs(profile: Profile) -> None:
    """The Pi pulls GPIO 9 to 27 down at power-up."""
    assert profile.led_pin in PULLED_DOWN_AT_POWER_UP
    assert profile.sounder_pin in PULLED_DOWN_AT_POWER_UP


@every_profile
def test_profile_of_an_spi_panel_has_data_command_and_reset(profile: Profile) -> None:
    if profile.panel.bus is Bus.SPI:
        assert profile.panel.dc_pin is not None
        assert profile.panel.reset_pin is not None


@every_profile
def test_profile_of_an_ssd1309_has_a_reset(profile: Profile) -> None:
    """An SSD1309 shows nothing until its reset was pulsed."""
    if profile.panel.driver is Driver.SSD1309:
        assert profile.panel.reset_pin is not None


def test_waveshare_hat_has_the_pins_of_its_manual() -> None:
    hat = profile_named("waveshare-sh1106-hat")

    assert (21, 20, 16) == tuple(hat.buttons[b] for b in (Button.ATTACK, Button.ASSIST, Button.CANCEL))  # KEY1 2 3
    assert (6, 26, 13) == tuple(hat.buttons[b] for b in (Button.SEEN, Button.RESPONDING, Button.TEST))  # up right press
    assert (24, 25) == (hat.panel.dc_pin, hat.panel.reset_pin)


def test_bonnet_has_the_pins_of_its_makers_page() -> None:
    bonnet = profile_named("adafruit-128x64-bonnet")

    assert {5, 6, 17, 22, 23, 4} == set(bonnet.buttons.values())
    assert (5, 6) == (bonnet.buttons[Button.ATTACK], bonnet.buttons[Button.ASSIST])
    assert (Bus.I2C, None) == (bonnet.panel.bus, bonnet.panel.reset_pin)


def test_default_profile_is_the_yellow_ssd1309_on_i2c() -> None:
    panel = profile_named(DEFAULT_PROFILE).panel

    assert (Driver.SSD1309, Bus.I2C, 128, 64, 2.42, "yellow") == (
        panel.driver,
        panel.bus,
        panel.width_px,
        panel.height_px,
        panel.diagonal_in,
        panel.colour,
    )


def test_unknown_profile_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match=r"no hardware profile 'ssd1309'; there are: .*ssd1309-128x64,.*fake"):
        profile_named("ssd1309")
