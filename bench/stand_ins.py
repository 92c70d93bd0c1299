"""A push service with phones, and a text gateway, as a program. In truth they are elsewhere: here they make way."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from demo.stand_in_phones import StandInPush, StandInTexts
from wire.notices import Subscription

PUSH_S: Final = 0.1
TEXT_S: Final = 0.5
"""How long they take to answer. At once they would have all messages of a minute in one second."""


class Outside(Struct, frozen=True):
    """What it says in one line, once it answers.

    Attributes:
        ca_file: whom to believe about the push service.
        gateway: the text gateway's address, for Apprise.
        phones: of one person each.
    """

    ca_file: str
    gateway: str
    phones: tuple[Subscription, ...]


def main(folder: Path, phones: int) -> None:
    """Answer until SIGTERM."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # Whatever is measured goes first, and at once.
    push, texts = StandInPush(folder), StandInTexts()
    push.pause_s, texts.pause_s = PUSH_S, TEXT_S
    made = tuple(push.phone().subscription for _ in range(phones))
    sys.stdout.write(msgspec.json.encode(Outside(str(push.ca_file), texts.url, made)).decode() + "\n")
    sys.stdout.flush()
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main(Path(sys.argv[1]), int(sys.argv[2]))
