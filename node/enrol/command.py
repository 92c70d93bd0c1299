"""``watchlink node enrol``: tries until this unit is a node, and says where it stands."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from node.config import NodeFile
from node.enrol.asking import ask
from node.enrol.keys import keys_in
from node.enrol.placing import prepare, put_in_place, remove
from node.enrol.trouble import Trouble, bad_card, bad_disk, bad_seed, has_identity
from runtime.atomic import sync_folder
from runtime.config import ConfigError, load_toml
from runtime.regular_file import read_regular
from wire.limits import TEXT_CHARS_MAX
from wire.seed import SEED_BYTES_MAX, Seed, SeedError, decode_seed
from wire.text import display_text
from wire.unit_files import CARD_FILE, UNIT_FILE_BYTES_MAX

STATUS_ARMED: Final = 0
STATUS_NOT_ARMED: Final = 1
FOLDER: Final = "enrolling"
"""Beside ``node.toml``: keys and what was answered, until all of it is in place."""


class Standing(Struct, frozen=True):
    """Where it stands, for people.

    Attributes:
        headline: for the panel, 8 characters at most.
        lines: for the panel, 21 characters at most each.
        sentence: in full.
    """

    headline: str
    lines: tuple[str, str]
    sentence: str


CLAIMING: Final = Standing("CLAIMING", ("The town is asked", ""), "Asking the town for this unit's identity.")


def standing_of(trouble: Trouble) -> Standing:
    """What people are told of it."""
    return Standing("NO CLAIM" if trouble.is_final else "WAITING", trouble.short, trouble.sentence)


Tell = Callable[[Standing], None]
Wait = Callable[[float], bool]
"""Waits that many seconds; returns whether to stop."""


def enrol(seed_file: Path, config: Path, version: str, *, tell: Tell, wait: Wait) -> int:
    """Make this unit the node of the seed. Safe to end and to run again at any moment.

    Args:
        seed_file: read at each attempt: somebody may bring another.
        config: where ``node.toml`` will be; everything else goes beside it.
        version: the program's.
        tell: is told where it stands, at each attempt.
        wait: waits between attempts; when it returns true, this ends.

    Returns 0 once the node can start, 1 if it was ended before. A unit that is a node already can start, whatever is
    wrong with a seed.
    """
    while True:
        try:
            return _attempt(seed_file, config, version, tell)
        except Trouble as e:
            tell(standing_of(e))
            if _is_node(config):
                # Whatever is wrong with a seed, or with deleting it: the button of a unit that has its identity works.
                return STATUS_ARMED
            # Not all units of a street at the same moment, when its power comes back.
            if wait(e.again_s * random.uniform(1.0, 1.5)):  # noqa: S311 - no secret
                return STATUS_NOT_ARMED


def _attempt(seed_file: Path, config: Path, version: str, tell: Tell) -> int:
    staging = config.parent / FOLDER
    try:
        seed = _seed(seed_file, config)
        if seed is None:
            remove(staging)
            return STATUS_ARMED
        if not config.exists():
            tell(CLAIMING)
            staging.mkdir(mode=0o700, exist_ok=True)
            keys = keys_in(staging)
            answer = ask(seed, keys)
            prepare(staging, seed, keys, answer, version)
            put_in_place(staging, config.parent)
        premises = load_toml(config, NodeFile).identity.premises
        # The seed goes last: until then everything can be done again.
        seed_file.unlink(missing_ok=True)
        sync_folder(seed_file.parent)
        remove(staging)
    except (OSError, ValueError) as e:
        raise bad_disk(str(e)) from e
    tell(Standing("ARMED", (premises[:21], "Starting"), f"This unit is armed for {premises}."))
    return STATUS_ARMED


def _is_node(config: Path) -> bool:
    try:
        load_toml(config, NodeFile)
    except ConfigError:
        return False
    return True


def _seed(seed_file: Path, config: Path) -> Seed | None:
    """The seed; ``None`` if it has done its work."""
    try:
        with seed_file.open("rb") as source:
            seed = decode_seed(source.read(SEED_BYTES_MAX + 1))
    except FileNotFoundError:
        if config.exists():
            return None
        on_card = _found_on_card()
        raise (bad_card(on_card) if on_card else bad_seed(f"There is no seed at {seed_file}.")) from None
    except SeedError as e:
        raise bad_seed(e.sentence) from e
    if config.exists():
        try:
            node = load_toml(config, NodeFile).identity.node
        except ConfigError as e:
            raise bad_disk(str(e)) from e
        if node != seed.node:
            raise has_identity(node)
    return seed


def _found_on_card() -> str:
    """What is wrong with the card; empty = nothing that anybody told."""
    try:
        data = read_regular(Path(CARD_FILE), UNIT_FILE_BYTES_MAX)
    except OSError:
        return ""
    return display_text(data.decode("utf-8", "replace"), TEXT_CHARS_MAX)
