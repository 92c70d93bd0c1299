"""Buttons, panel, LED and sounder, and the fakes of each. Hardware is faked at the pin and bus, never above."""
