"""Texts are compared without case, accents and signs."""

from __future__ import annotations

from gallery.page.finding import folded


def test_case_accents_and_signs_do_not_count() -> None:
    assert folded("Zoë O'Brien-Müller") == folded("ZOE o brien muller")


def test_letters_of_other_scripts_count() -> None:
    assert "łukasz 李 42" == folded("Łukasz 李-42")
