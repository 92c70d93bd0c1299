"""What must not leave the builder's machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from images.build import check_is_for_shops
from images.errors import BuildError
from images.recipe import read_recipe


@pytest.mark.parametrize("line", ["HURRY=20", "ASK_EVERY_S=20"])
def test_image_for_tests_is_not_built_for_shops(tmp_path: Path, line: str) -> None:
    """With HURRY a bad update would be kept after seconds."""
    layers = read_recipe("arm64", "0.1.0.202611280725").layers
    (made,) = (file for layer in layers for file in layer.files if file.path.endswith("/image.conf"))
    conf = tmp_path / made.path.lstrip("/")
    conf.parent.mkdir(parents=True)
    conf.write_bytes(made.data)
    check_is_for_shops(tmp_path)
    conf.write_bytes(made.data + f"{line}\n".encode())

    with pytest.raises(BuildError, match="for tests alone"):
        check_is_for_shops(tmp_path)
