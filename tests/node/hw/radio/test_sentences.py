"""What is said, and that a name is only ever a name (N4, N9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.core.air import Phrase
from node.hw.radio.sentences import about_person, once, sentences, speakable
from wire.limits import NAME_CHARS_MAX


def test_sentence_about_a_person_says_the_reference_after_what_happened() -> None:
    said = sentences("Boots", "High St")

    assert about_person(said[Phrase.BREACH], "HART 42") == (
        "Excluded person. HART 42. Boots, High Street. Excluded person. HART 42. Boots, High Street."
    )
    assert about_person(said[Phrase.SIGHTING], "HART 42").startswith("Sighting. HART 42. Boots")


def test_reference_cannot_say_more_than_letters_and_digits() -> None:
    said = about_person(sentences("Boots", "High St")[Phrase.BREACH], "HART <42> $(reboot) --pho")

    assert set(said) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,")


def test_sentences_say_what_and_where_twice() -> None:
    assert sentences("Boots", "High St")[Phrase.ATTACK] == "Attack. Boots, High Street. Attack. Boots, High Street."


def test_sentences_cover_every_phrase() -> None:
    assert set(sentences("Boots", "High St", "Staff call")) == set(Phrase)


def test_sentences_of_a_scheme_without_neutral_words_have_none() -> None:
    """N4: a silent attack is then the burst alone."""
    assert set(Phrase) - set(sentences("Boots", "High St")) == {Phrase.NEUTRAL}
    assert Phrase.NEUTRAL not in sentences("Boots", "High St", " $() ")


def test_sentences_say_neutral_words_once_and_nothing_of_the_place() -> None:
    """N4: the offender may be within hearing."""
    assert sentences("Boots", "High St", "Staff call, till four")[Phrase.NEUTRAL] == "Staff call, till four."


def test_sentences_without_a_place_name_the_premises_alone() -> None:
    assert sentences("Boots", "")[Phrase.TEST] == "Test only. Boots. Test only. Boots."


def test_sentences_accuse_nobody_of_anything_in_a_sighting() -> None:
    """N7: no allegation on a channel that anybody can hear."""
    assert sentences("Boots", "High St")[Phrase.SIGHTING].startswith("Sighting. Boots")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("High St", "High Street"),
        ("High St.", "High Street"),
        ("High St North", "High Street North"),
        ("High St, Unit 4", "High Street, Unit 4"),
        ("St Ann's Rd", "Saint Ann's Road"),
        ("1 St Martins Sq", "1 Saint Martins Square"),
        ("MILL LN", "MILL Lane"),
        ("Market Pl", "Market Place"),
        ("Strand", "Strand"),
    ],
)
def test_sentences_spell_out_the_abbreviations_of_a_place(place: str, said: str) -> None:
    assert sentences("Boots", place)[Phrase.TEST] == f"Test only. Boots, {said}. Test only. Boots, {said}."


def test_sentences_do_not_touch_what_a_premises_calls_itself() -> None:
    assert "Boots, St Pl" not in sentences("St Pl", "")[Phrase.TEST]
    assert "St Pl" in sentences("St Pl", "")[Phrase.TEST]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("M&S", "M and S"),
        ("Sainsbury's", "Sainsbury's"),
        ("7-Eleven (upstairs)", "7 Eleven, upstairs"),
        ("Café Zoë", "Café Zoë"),
        ("-v en --path=/tmp", "v en path, tmp"),
        ("$(touch x) `id` ; rm *", "touch x, id, rm"),
        ("[[h@l'oU]] <break time='9s'/>", "h l'oU break time 9s"),
        ("\x01100S a\nb\0c", "100S a b c"),
        ("'quoted' \"twice\"", "quoted twice"),
        ("Tŷ Ŵyn", "Tŷ Ŵyn"),
        ("Cafe Łódź", "Cafe Łódź"),
        ("Nguyễn Phở", "Nguyen Pho"),
        ("Кафе Весна", "Kafe Vesna"),
        ("金龍 Golden Dragon", "Golden Dragon"),
        ("🍺 The Swan", "The Swan"),
        ("🦢", "Swan"),
        ("Bell’s–Outdoor", "Bell’s Outdoor"),
    ],
)
def test_speakable_leaves_words_and_pauses_only(name: str, said: str) -> None:
    assert speakable(name) == said


@given(st.text(max_size=200))
def test_speakable_never_lets_anything_but_words_through(text: str) -> None:
    said = speakable(text)
    assert all(character.isalnum() or character in " ,'’" for character in said)
    assert said == said.strip(" ,")
    assert len(said) <= 5 * NAME_CHARS_MAX


def test_once_is_the_first_half_of_what_is_said_twice() -> None:
    assert once("Attack. Boots. Attack. Boots.") == "Attack. Boots."
    assert once("Staff call.") == "Staff call."
    assert once("Boots Boots") == "Boots"


def test_premises_that_no_voice_can_name_is_a_member_all_the_same() -> None:
    """N9: a sentence without a name says that something has happened nowhere."""
    on_the_street, alone = (sentences("金龍", place)[Phrase.ATTACK] for place in ("High St", ""))

    assert "Attack. a member, High Street. Attack. a member, High Street." == on_the_street
    assert "Attack. a member. Attack. a member." == alone


def test_words_of_the_scheme_take_the_place_of_the_usual_ones_and_of_no_others() -> None:
    said = sentences("Boots", "High St", words={Phrase.ATTACK: "Code red!", Phrase.TEST: " $() "})

    assert said[Phrase.ATTACK] == "Code red. Boots, High Street. Code red. Boots, High Street."
    assert said[Phrase.TEST] == sentences("Boots", "High St")[Phrase.TEST]
    assert set(said) == set(Phrase) - {Phrase.NEUTRAL}
