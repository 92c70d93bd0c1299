from __future__ import annotations

import pytest

from office.exclusions.rules.same_person import known, mailbox, may_be_one, name_key

PAT = known(1, "Pat O’Neil", ["pat@example.org"])


@pytest.mark.parametrize(
    "name",
    ["pat o'neil", "PAT ONEIL", "O'Neil, Pat", "PC Pat O’Neil", "Pát O’Neil", "Sgt. Pat J. O’Neil", " Pat   O’Neil "],
)
def test_same_name_however_it_is_written(name: str) -> None:
    assert may_be_one(PAT, known(2, name, []))


@pytest.mark.parametrize("name", ["Patricia O’Neil", "Pat", "Pat O’Neill", "", "Jo O’Neil"])
def test_another_name_is_another_person(name: str) -> None:
    assert not may_be_one(PAT, known(2, name, []))


@pytest.mark.parametrize("email", ["PAT@example.org", "pat@EXAMPLE.org", "pat+pub@example.org", " pat@example.org"])
def test_same_mailbox_however_it_is_written(email: str) -> None:
    assert may_be_one(PAT, known(2, "Landlord", ["landlord@example.org", email]))


@pytest.mark.parametrize("email", ["", "pat@example.com", "pam@example.org", "pat"])
def test_another_mailbox_is_another_person(email: str) -> None:
    assert not may_be_one(PAT, known(2, "Landlord", [email]))


def test_nothing_known_is_nobody_in_particular() -> None:
    assert not may_be_one(known(1, "", [""]), known(2, "", [""]))
    assert not may_be_one(known(1, "’", []), known(2, "’", []))
    assert may_be_one(known(1, "", []), known(1, "Other", []))


def test_name_of_ranks_and_initials_alone_stays() -> None:
    assert (name_key("PC"), name_key("J K"), name_key("PC J"), name_key("J Reed")) == ("pc", "j k", "j", "j reed")
    assert mailbox("+tag@example.org") == "@example.org"
