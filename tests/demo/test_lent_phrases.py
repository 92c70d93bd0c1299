"""Sentences are lent from town to town only where a folder is named, and whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.lent_phrases import FOLDER_VARIABLE, keep, lend

NODE = "00000010"


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()} if folder.is_dir() else {}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "attack-1.s16").write_bytes(b"attack")
    (folder / "assist-1.s16.new").write_bytes(b"half")
    return folder


def test_sentences_of_a_node_are_lent_to_its_next_town(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "kept"))
    keep(NODE, made)
    lend(NODE, tmp_path / "two/state/phrases")
    lend("00000011", tmp_path / "three")

    assert {"attack-1.s16": b"attack"} == files(tmp_path / "two/state/phrases")
    assert {} == files(tmp_path / "three")


def test_nothing_is_lent_or_kept_where_no_folder_is_named(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    keep(NODE, made)
    lend(NODE, tmp_path / "two")

    assert {"one"} == {folder.name for folder in tmp_path.iterdir()}
