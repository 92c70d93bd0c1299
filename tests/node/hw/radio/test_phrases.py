"""Sentences made ahead by the real espeak-ng (N4, N9: every handset hears what has happened, and where)."""

from __future__ import annotations

import math
import os
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest

from node.core.air import RATE_HZ, Phrase
from node.core.radio.levels import SPEECH_PEAK_DBFS, SPEECH_RMS_DBFS, active_rms_dbfs, level, rms_dbfs
from node.hw.radio import phrases, speech
from node.hw.radio.phrases import SpokenPhrases
from node.hw.radio.sentences import once, sentences

pytestmark = pytest.mark.integration

_WITHIN_S = 300.0
_BOOTS = {Phrase.ATTACK: sentences("Boots", "High St")[Phrase.ATTACK]}


def _made(said: dict[Phrase, str], folder: Path, voice: str = "en-gb") -> SpokenPhrases:
    book = SpokenPhrases(said, voice, folder)
    book.start()
    assert book.wait(_WITHIN_S)
    return book


_LOST = "no spoken alerts: the sentence attack is damaged on the disk, or gone"


class _Made:
    """A sentence that is made, and what is told of it afterwards."""

    def __init__(self, folder: Path) -> None:
        self.told: Queue[str] = Queue()
        self.book = SpokenPhrases(_BOOTS, "en-gb", folder, self.told.put, lambda: self.told.put("made"))
        self.book.start()
        assert self.book.wait(_WITHIN_S)
        assert self.told.empty()
        (self._file,) = folder.iterdir()

    def lose(self, loss: str) -> None:
        kept = self._file.read_bytes()
        self._file.unlink()
        if loss == "bits":
            self._file.write_bytes(kept[:999] + b"\1\2" + kept[1_001:])


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    book = _made(_BOOTS, tmp_path_factory.mktemp("phrases"))
    assert book.problem == ""
    sound = book.samples("attack")
    assert sound is not None
    return sound


def _power_below(sound: bytes, hz: float) -> float:
    """Share of the power that a one-pole low-pass at ``hz`` lets through."""
    samples = array("h", sound)
    step = 1 - math.exp(-2 * math.pi * hz / RATE_HZ)
    low, through = 0.0, 0.0
    for sample in samples:
        low += step * (sample - low)
        through += low * low
    return through / sum(sample * sample for sample in samples)


def test_spoken_attack_is_as_loud_as_a_burst_and_never_overdriven(attack: bytes) -> None:
    assert active_rms_dbfs(attack) == pytest.approx(SPEECH_RMS_DBFS, abs=0.5)
    assert level(attack).peak_dbfs <= SPEECH_PEAK_DBFS + 0.01
    assert abs(level(attack).mean) < 0.01


def test_spoken_attack_begins_and_ends_with_words(attack: bytes) -> None:
    """Silence in front of the words is airtime: an over may begin with at most key-up and half a second of it."""
    edge = 2 * RATE_HZ // 20
    assert rms_dbfs(attack[:edge]) > -35
    assert rms_dbfs(attack[-edge:]) > -45


def test_spoken_attack_takes_four_to_seven_seconds(attack: bytes) -> None:
    """The rules plan with six (``SPEECH_MS``)."""
    assert 4 < len(attack) / 2 / RATE_HZ < 7


def test_spoken_attack_has_nothing_below_what_a_radio_carries(attack: bytes) -> None:
    assert _power_below(attack, 60) < 0.02


def test_sentences_differ_by_what_they_say(tmp_path: Path) -> None:
    book = _made({phrase: f"{phrase} at Boots." for phrase in (Phrase.ATTACK, Phrase.TEST)}, tmp_path)
    assert book.samples("attack") != book.samples("test")
    assert book.missing() == ()


def test_sentence_about_a_person_is_made_when_it_is_wanted_and_never_kept_on_disk(tmp_path: Path) -> None:
    said = {Phrase.BREACH: sentences("Boots", "High St")[Phrase.BREACH]}
    book = _made(said, tmp_path)
    plain = book.samples("breach")
    assert plain is not None
    assert plain == book.samples("breach HART 42"), "an over waits for no speech"
    files = sorted(tmp_path.iterdir())

    book.prepare("breach HART 42")
    assert book.wait(_WITHIN_S)
    about = book.samples("breach HART 42")
    assert about is not None
    assert len(about) > len(plain)
    assert (plain, plain) == (book.samples("breach"), book.samples("breach HART 43"))
    assert files == sorted(tmp_path.iterdir())


def test_phrases_that_are_not_set_have_no_samples(tmp_path: Path) -> None:
    """N4: without neutral words the burst goes alone."""
    book = _made(_BOOTS, tmp_path)
    assert book.samples("neutral") is None
    assert book.samples("../../etc/passwd") is None


def test_phrases_are_there_at_once_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A press never waits for speech, and an SD card is not written for nothing."""
    first = _made(_BOOTS, tmp_path).samples("attack")
    monkeypatch.setenv("PATH", "/nowhere")
    again = SpokenPhrases(_BOOTS, "en-gb", tmp_path)
    assert again.samples("attack") == first
    again.start()
    assert again.wait(_WITHIN_S)
    assert again.problem == ""


def test_phrases_are_made_anew_when_name_or_voice_changes_and_old_ones_go(tmp_path: Path) -> None:
    boots = _made(_BOOTS, tmp_path).samples("attack")
    greggs = _made({Phrase.ATTACK: _BOOTS[Phrase.ATTACK].replace("Boots", "Greggs")}, tmp_path)
    assert greggs.samples("attack") != boots
    assert _made(_BOOTS, tmp_path, "en-gb-scotland").samples("attack") != boots
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", ["empty", "cut", "bits", "foreign", "link", "pipe", "link to make it by"])
def test_phrase_that_is_damaged_on_the_disk_is_never_played_and_made_anew(tmp_path: Path, damage: str) -> None:
    folder, strange = tmp_path / "phrases", tmp_path / "strange"
    whole = _made(_BOOTS, folder).samples("attack")
    assert whole
    (file,) = folder.iterdir()
    kept = file.read_bytes()
    strange.write_bytes(b"somebody else's")
    contents = {
        "empty": b"",
        "cut": kept[:-2],
        "bits": kept[:999] + b"\1\2" + kept[1_001:],
        "foreign": os.urandom(9_000),
    }
    file.unlink()
    if damage in contents:
        file.write_bytes(contents[damage])
    elif damage == "link":
        file.symlink_to(strange)
    elif damage == "pipe":
        os.mkfifo(file)
    else:
        file.with_suffix(".s16.new").symlink_to(strange)

    assert SpokenPhrases(_BOOTS, "en-gb", folder).samples("attack") is None
    assert _made(_BOOTS, folder).samples("attack") == whole
    assert strange.read_bytes() == b"somebody else's"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[_Made]:
    made = _Made(tmp_path / "phrases")
    yield made
    made.book.close()


@pytest.mark.parametrize("loss", ["bits", "gone"])
def test_phrase_that_the_disk_loses_after_the_start_is_told_and_made_anew(made: _Made, loss: str) -> None:
    """An over goes out without words, and must be the last that does."""
    whole = made.book.samples("attack")
    made.lose(loss)
    with made.book._lock:
        assert made.book.samples("attack") is None, "an over waits for nobody"

    assert [_LOST, "made"] == [made.told.get(timeout=_WITHIN_S) for _ in range(2)]
    assert made.book.samples("attack") == whole
    assert made.book.problem == ""


def test_phrase_that_is_lost_and_cannot_be_made_is_tried_again_only_when_asked(
    made: _Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many overs go out meanwhile."""
    stand_in = tmp_path / "espeak-ng"
    stand_in.write_text(f"#!/bin/sh\necho x >>{tmp_path}/began\nexit 1\n")
    stand_in.chmod(0o755)
    made.lose("bits")
    with monkeypatch.context() as without:
        without.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        for _ in range(5):
            assert made.book.samples("attack") is None
        assert _LOST == made.told.get(timeout=_WITHIN_S)
        assert 'voice "en-gb"' in made.told.get(timeout=_WITHIN_S)
        for _ in range(5):
            assert made.book.samples("attack") is None
        assert made.book.wait(_WITHIN_S)
        assert (tmp_path / "began").read_text() == "x\n"
        assert not made.book.is_made()
        assert made.told.empty()

    made.book.start()
    assert made.told.get(timeout=_WITHIN_S) == "made"
    assert made.book.is_made()


def test_phrases_that_would_be_too_long_are_said_once(tmp_path: Path) -> None:
    name = "The Very Long Named Premises Of The Borough And Its Neighbours"
    said = sentences(name, f"{name} Street")[Phrase.ATTACK]
    sound = _made({Phrase.ATTACK: said}, tmp_path).samples("attack")
    assert sound is not None
    assert len(sound) / 2 / RATE_HZ < 12
    assert sound == _made({Phrase.ATTACK: once(said)}, tmp_path / "once").samples("attack")


@pytest.mark.parametrize(
    "name",
    ["$(touch {file})", "`touch {file}`", "; touch {file}", "' | touch {file} #", "-f {file} -w {file}", "\n-w{file}"],
)
def test_shell_metacharacters_in_a_name_do_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Not by the sentences, and not by the renderer either, if one day a text came past them."""
    folder = tmp_path / "phrases"
    monkeypatch.chdir(tmp_path)
    for text in (sentences(name.format(file="x"), "")[Phrase.ATTACK], name.format(file=tmp_path / "x")):
        book = _made({Phrase.ATTACK: text}, folder)
        assert book.samples("attack")
    assert [file.name for file in tmp_path.iterdir()] == ["phrases"]


def test_text_is_never_an_argument_of_any_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What travels in arguments shows in the process list, and may be taken for an option."""
    stand_in = tmp_path / "espeak-ng"
    stand_in.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\ncat >{tmp_path}/text\nexit 1\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    _made({Phrase.ATTACK: "--help $HOME"}, tmp_path / "phrases")
    assert (tmp_path / "text").read_text() == "--help $HOME"
    assert (tmp_path / "arguments").read_text() == "-v en-gb -s 140 -z -b 1 --stdin --stdout\n"


def test_phrases_without_espeak_say_what_to_install_and_overs_go_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    told: list[str] = []
    book = SpokenPhrases(_BOOTS, "en-gb", tmp_path, told.append)
    book.start()
    assert book.wait(_WITHIN_S)
    assert told == ["no spoken alerts: espeak-ng is not installed: apt-get install espeak-ng"]
    assert book.samples("attack") is None
    assert book.missing() == (Phrase.ATTACK,)
    monkeypatch.undo()
    book.start()
    assert book.wait(_WITHIN_S)
    assert book.problem == ""
    assert book.samples("attack")


def test_phrases_in_a_voice_that_is_not_there_name_it(tmp_path: Path) -> None:
    book = _made(_BOOTS, tmp_path, "xx-none")
    assert 'voice "xx-none"' in book.problem


def test_phrases_on_a_disk_that_refuses_say_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    book = _made(_BOOTS, tmp_path / "file" / "phrases")
    assert "Not a directory" in book.problem
    assert book.samples("attack") is None


def test_phrases_that_are_closed_end_their_child_and_tell_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phrases, "_JOIN_S", _WITHIN_S)  # on a busy machine
    stand_in = tmp_path / "espeak-ng"
    os.mkfifo(tmp_path / "began")
    stand_in.write_text(f"#!/bin/sh\necho x >{tmp_path}/began\nexec sleep 60\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    told: list[str] = []
    book = SpokenPhrases(_BOOTS, "en-gb", tmp_path / "phrases", told.append)
    book.start()
    (tmp_path / "began").read_text()
    book.close()
    book.close()
    assert told == []
    assert not [thread for thread in threading.enumerate() if thread.name == "phrases"]
    book.start()
    assert book.wait(0)


@pytest.mark.parametrize("whom", ["it alone", "us too"])
def test_renderer_that_is_told_to_end_is_a_fault_only_if_it_was_told_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whom: str
) -> None:
    """At the unit's stop systemd tells every process: nothing has gone wrong then."""
    is_alone = whom == "it alone"
    monkeypatch.setattr(phrases, "_TOLD_TO_END_S", 0.01 if is_alone else _WITHIN_S)
    stand_in = tmp_path / "espeak-ng"
    os.mkfifo(tmp_path / "began")
    stand_in.write_text(f"#!/bin/sh\necho x >{tmp_path}/began\nexec sleep 60\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    told: list[str] = []
    book = SpokenPhrases(_BOOTS, "en-gb", tmp_path / "phrases", told.append)
    book.start()
    (tmp_path / "began").read_text()
    with book._lock:  # Until it is free again the child may have begun, and be nobody's yet.
        child = book._child
    assert child is not None
    child.terminate()
    if not is_alone:
        child.wait()
        assert not book.wait(0.5), "it waits for what becomes of us"
        book.close()
    assert book.wait(_WITHIN_S)
    assert told == ['no spoken alerts: voice "en-gb": the speech program failed'] * is_alone


def test_a_half_written_sentence_is_none(tmp_path: Path) -> None:
    book = SpokenPhrases(_BOOTS, "en-gb", tmp_path)
    (file,) = book._files.values()
    file.with_suffix(".s16.new").write_bytes(b"\1" * 10)
    assert book.samples("attack") is None
    file.touch()
    assert book.samples("attack") is None


def test_conditioned_refuses_a_rate_that_it_cannot_bring_to_the_airs() -> None:
    with pytest.raises(speech.SpeechError, match="16000 samples a second"):
        speech.conditioned([1.0] * 100, 16_000)
    with pytest.raises(speech.SpeechError, match="said nothing"):
        speech.conditioned([0.0] * 100, 22_050)


def test_conditioned_takes_sound_at_the_airs_own_rate() -> None:
    tone = [1_000 * math.sin(2 * math.pi * 1_000 * at / RATE_HZ) for at in range(RATE_HZ)]
    sound = speech.conditioned(tone, RATE_HZ)
    assert len(sound) == pytest.approx(2 * RATE_HZ, rel=0.02)
    assert active_rms_dbfs(sound) == pytest.approx(SPEECH_RMS_DBFS, abs=0.5)


def test_digest_tells_voices_speeds_and_texts_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {phrases._digest("a", "en-gb"), phrases._digest("b", "en-gb"), phrases._digest("a", "en-us")}
    monkeypatch.setattr(phrases, "WORDS_PER_MINUTE", 150)
    assert len(seen | {phrases._digest("a", "en-gb")}) == 4
