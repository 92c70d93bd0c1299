"""The seed is taken off the card's first partition, which any computer reads, and put where the unit claims with it.

It is on the data partition before it is taken off the first one: wherever the power goes, it is on one of the two. No
file with a mistake replaces a good one there. Once it is taken, its sectors of the first partition are zeros, and all
free ones, where an editor may have left an older copy. A copy that is still a file, by another name, is left alone.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from appliance.card.fat import Fat, FatFile
from appliance.card.partition import SECTOR_BYTES, Sectors
from appliance.card.wifi import WIFI_FILE, wpa_supplicant
from appliance.errors import CardError
from runtime.atomic import PRIVATE, write_atomic
from runtime.regular_file import read_regular
from wire.seed import SEED_BYTES_MAX, SEED_FILE, Seed, SeedError, decode_seed


def take_seed(sectors: Sectors, node_folder: Path, own_folder: Path) -> str:
    """Take the seed off the card, if there is one. Safe to run again at any moment.

    Args:
        sectors: the first partition.
        node_folder: where the unit claims, and where ``node.toml`` is once it has.
        own_folder: for the Wi-Fi.

    Returns:
        What is wrong, as one sentence for people; empty = nothing.

    Raises:
        CardError: the card refuses. The seed is where it was, or in both places.
    """
    fat = Fat(sectors)
    file = fat.find(SEED_FILE)
    if file is None:
        return ""
    if file.size_bytes > SEED_BYTES_MAX:
        return "The seed on the card is far too large: make it again."
    data = fat.read(file)
    if not data[:SECTOR_BYTES].strip(b"\0"):  # A power cut came between: the first sector is erased first.
        fat.erase(file)
        return ""
    try:
        return _take(fat, file, data, node_folder, own_folder)
    except OSError as e:
        raise CardError(f"the seed cannot be taken from the card: {e.strerror}") from e


def _take(fat: Fat, file: FatFile, data: bytes, node_folder: Path, own_folder: Path) -> str:
    waiting = node_folder / SEED_FILE
    node = _node_here(node_folder / "node.toml")
    try:
        seed = decode_seed(data)
    except SeedError as e:
        if node is None and not _is_good(waiting):
            write_atomic(waiting, data, PRIVATE)  # The unit says on its panel what is wrong with it.
        return e.sentence  # Whoever made it may mend it where it is.
    if node is None:
        write_atomic(waiting, data, PRIVATE)
    elif node != seed.node:
        return f"This unit is node {node}, and the seed on its card is for {seed.node}. Nothing was changed."
    _keep_wifi(seed, own_folder)
    fat.erase(file)
    return ""


def _is_good(waiting: Path) -> bool:
    try:
        decode_seed(read_regular(waiting, SEED_BYTES_MAX))
    except (FileNotFoundError, SeedError):
        return False
    return True


def _keep_wifi(seed: Seed, folder: Path) -> None:
    if seed.wifi is not None:
        write_atomic(folder / WIFI_FILE, wpa_supplicant(seed.wifi).encode(), PRIVATE)


def _node_here(node_toml: Path) -> str | None:
    """Who this unit is; ``None`` = nobody yet.

    Raises:
        CardError: it is somebody, but whom cannot be read.
    """
    try:
        text = read_regular(node_toml, SEED_BYTES_MAX).decode("utf-8")
        return str(tomllib.loads(text)["identity"]["node"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as e:
        raise CardError("a seed is on the card, and who this unit is cannot be read") from e
