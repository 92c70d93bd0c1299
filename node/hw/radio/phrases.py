"""Sentences rendered in advance, so that a press never waits for speech: a ``PhraseBook``."""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from node.core.air import RATE_HZ, Phrase
from node.hw.errors import one_line
from node.hw.radio.sentences import about_person, once
from node.hw.radio.speech import SPEECH_MS_MAX, STATUS_NO_PROGRAM, WORDS_PER_MINUTE

_VERSION: Final = 3
"""Raised when the same text and voice should sound different, so that cached sentences are made again."""
_SOUND_BYTES_MAX: Final = 2 * RATE_HZ * SPEECH_MS_MAX // 1000
_RENDER_WITHIN_S: Final = 600
_SUFFIX: Final = ".s16"
_SEAL_BYTES: Final = hashlib.sha256().digest_size
"""A digest before the samples: what a dying card has damaged is never put on the air."""
_JOIN_S: Final = 1.0
ABOUT_MAX: Final = 4
"""Sentences about a person that are kept, in memory alone: half a megabyte each."""
_TOLD_TO_END_S: Final = 5.0
_PACKAGES: Final = Path(__file__).absolute().parents[3]
_log: Final = logging.getLogger(__name__)


class SpokenPhrases:
    """A scheme's sentences in one voice, kept on disk. Any thread may call.

    Args:
        sentences: of each phrase (:func:`node.hw.radio.sentences.sentences`).
        voice: its espeak-ng name.
        cache_dir: for samples; made if missing, and cleared of unused ones.
        on_problem: called, from a thread of this object's, each time sentences cannot be made: overs then go without,
            and somebody must call :meth:`start` again. Without this it is logged. Called, too, when the disk has lost
            one that was made; that is made again unasked.
        on_made: the same, when they have been made after all.
    """

    def __init__(
        self,
        sentences: Mapping[Phrase, str],
        voice: str,
        cache_dir: Path,
        on_problem: Callable[[str], None] | None = None,
        on_made: Callable[[], None] = lambda: None,
    ) -> None:
        self._sentences = MappingProxyType(dict(sentences))
        self._voice = voice
        self._dir = cache_dir
        self._on_problem = on_problem
        self._on_made = on_made
        self._files = MappingProxyType(
            {phrase: cache_dir / f"{phrase}-{_digest(text, voice)}{_SUFFIX}" for phrase, text in sentences.items()}
        )
        self._about: dict[str, bytes] = {}
        self._wanted: deque[str] = deque(maxlen=ABOUT_MAX)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._problem = ""
        self._is_whole = False

    @property
    def problem(self) -> str:
        """Why sentences are missing, in one line; empty if no reason is known."""
        return self._problem

    def start(self) -> None:
        """Make missing sentences in the background. May be called again, to retry."""
        with self._lock:
            if self._closing.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            thread = threading.Thread(target=self._work, name="phrases", daemon=True)
            thread.start()
            self._thread = thread  # only now, because whoever waits joins it without the lock

    def prepare(self, phrase: str) -> None:
        """Make a sentence about a person (:func:`node.core.air.about`), unless it is made; returns at once."""
        if phrase not in self._about and Phrase(phrase.partition(" ")[0]) in self._sentences:
            with self._lock:
                self._wanted.append(phrase)
            self.start()

    def wait(self, within_s: float) -> bool:
        """Wait until all is made or has failed; returns whether that is so."""
        thread = self._thread
        if thread is not None:
            thread.join(within_s)
        return thread is None or not thread.is_alive()

    def is_made(self) -> bool:
        """Whether there is a file for each sentence; none is opened, so this is cheap."""
        return all(file.is_file() for file in self._files.values())

    def missing(self) -> tuple[Phrase, ...]:
        """Phrases that are not ready; an incomplete file does not count."""
        return tuple(phrase for phrase, file in self._files.items() if self._read(phrase, file) is None)

    def samples(self, phrase: str) -> bytes | None:
        """One sentence's samples; ``None`` = not set, not ready, or not readable.

        If one about a person is not ready, those of the same about nobody: an over waits for no speech. Nor does it
        wait for one that was made and is lost.
        """
        if (sound := self._about.get(phrase)) is not None:
            return sound
        phrase = phrase.partition(" ")[0]
        file = next((file for known, file in self._files.items() if known == phrase), None)
        if file is None:
            return None
        sound = self._read(phrase, file)
        if sound is None and self._is_whole:
            self._is_whole = False  # until it is made again, or somebody who was told calls start
            threading.Thread(target=self._lost, args=(phrase,), name="lost phrase", daemon=True).start()
        return sound

    def close(self) -> None:
        """Stop making. Idempotent."""
        with self._lock:
            self._closing.set()
            thread, child = self._thread, self._child
            if child is not None:
                child.kill()
        if thread is not None:
            thread.join(_JOIN_S)

    def _read(self, phrase: str, file: Path) -> bytes | None:
        try:
            if not file.is_file():  # not opened: a pipe in its place would block for ever
                return None
            with file.open("rb") as opened:
                seal, sound = opened.read(_SEAL_BYTES), opened.read(_SOUND_BYTES_MAX)
        except OSError as e:
            _log.warning("the sentence %s cannot be read: %s", phrase, e.strerror)
            return None
        if seal != hashlib.sha256(sound).digest():
            _log.warning("the sentence %s is damaged on the disk", phrase)
            return None
        return sound or None

    def _lost(self, phrase: str) -> None:
        """On a thread of its own, because neither the lock nor a dying card may hold up an over."""
        if self._closing.is_set():
            return
        self._tell(f"the sentence {phrase} is damaged on the disk, or gone")
        self.wait(_RENDER_WITHIN_S)  # What is being made now may not look for it any more.
        self.start()

    def _work(self) -> None:
        self._make_missing()
        while True:
            self._make_about()
            with self._lock:  # What is wanted from now on starts another thread.
                if not self._wanted or self._closing.is_set():
                    self._thread = None
                    return

    def _make_missing(self) -> None:
        problem = ""
        try:
            self._dir.mkdir(parents=True, exist_ok=True)
            for phrase in self.missing():
                with suppress(OSError):  # Whoever looks for files alone must not take it for made.
                    self._files[phrase].unlink()
                if problem := self._make(phrase):
                    break
            self._discard_old()
        except OSError as e:
            problem = f"{self._dir}: {e.strerror}"
        if self._closing.is_set():
            return
        self._is_whole = not problem
        if problem:
            self._tell(problem)
            return
        was, self._problem = self._problem, ""
        if was:
            self._on_made()

    def _tell(self, problem: str) -> None:
        self._problem = problem
        told = one_line(f"no spoken alerts: {problem}")
        if self._on_problem is None:
            _log.warning("%s", told)
        else:
            self._on_problem(told)

    def _make_about(self) -> None:
        while self._wanted and not self._closing.is_set():
            wanted = self._wanted.popleft()
            phrase, _, reference = wanted.partition(" ")
            sound, problem = self._sound_of(about_person(self._sentences[Phrase(phrase)], reference))
            if problem:
                _log.warning("a sentence about a person is not made: %s", problem)
                continue
            made = {**self._about, wanted: sound}
            self._about = dict(list(made.items())[-ABOUT_MAX:])

    def _make(self, phrase: Phrase) -> str:
        """Render and store one; returns the problem, or ``""``."""
        sound, problem = self._sound_of(self._sentences[phrase])
        if not problem and not self._closing.is_set():
            _keep(self._files[phrase], sound)
        return problem

    def _sound_of(self, text: str) -> tuple[bytes, str]:
        sound, problem = self._rendered(text)
        if not problem and len(sound) >= _SOUND_BYTES_MAX and once(text) != text:
            # It would be cut in its second half: better once, and whole.
            sound, problem = self._rendered(once(text))
        return sound[: min(len(sound), _SOUND_BYTES_MAX) & ~1], problem

    def _rendered(self, text: str) -> tuple[bytes, str]:
        with self._lock:
            if self._closing.is_set():
                return b"", "closed"
            child = subprocess.Popen(  # noqa: S603 - one list, no shell; the text goes through a pipe
                [sys.executable, "-P", "-m", "node.hw.radio.speech", self._voice],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # The child imports us from where we were imported.
                env=os.environ | {"PYTHONPATH": str(_PACKAGES)},
            )
            self._child = child
        with child:
            try:
                sound, said = child.communicate(text.encode(), timeout=_RENDER_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()
                return b"", "espeak-ng does not end"
        with self._lock:
            self._child = None
        if child.returncode == 0 and sound:
            return sound, ""
        if child.returncode == -signal.SIGTERM:
            # When the unit stops, every process is told to end, and the node may be the last to hear of it.
            self._closing.wait(_TOLD_TO_END_S)
        lines = said.decode(errors="replace").strip().splitlines()
        problem = lines[-1] if lines else "the speech program failed"
        return b"", problem if child.returncode == STATUS_NO_PROGRAM else f'voice "{self._voice}": {problem}'

    def _discard_old(self) -> None:
        wanted = set(self._files.values())
        for file in self._dir.glob(f"*{_SUFFIX}*"):
            if file not in wanted:
                with suppress(OSError):
                    file.unlink()


def _digest(text: str, voice: str) -> str:
    said = "\n".join((str(_VERSION), voice, str(WORDS_PER_MINUTE), text))
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def _keep(file: Path, sound: bytes) -> None:
    """Write the file atomically, whenever the power fails."""
    unfinished = file.with_suffix(f"{_SUFFIX}.new")
    with suppress(OSError):  # never through a link that someone left here
        unfinished.unlink()
    with unfinished.open("xb") as opened:
        opened.write(hashlib.sha256(sound).digest() + sound)
        opened.flush()
        os.fsync(opened.fileno())
    unfinished.replace(file)
