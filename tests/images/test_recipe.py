"""The image's recipe: what is declared comes out, and what cannot be built is refused with what to do (F1)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from images.card import command_line
from images.errors import RecipeError
from images.recipe import LAYERS, Recipe, read_recipe

INVALID = sorted((Path(__file__).parent / "invalid").glob("*.toml"))
VERSION = "0.1.0.202611280725"
ABOUT = {"about": "base"}


def declared(folder: Path, case: dict[str, Any]) -> dict[str, Path]:
    """The case as files; returns what :func:`read_recipe` takes."""
    layers = folder / "layers"
    for name, layer in case["layers"].items():
        put = layer.pop("put", {})
        (layers / name).mkdir(parents=True)
        (layers / name / "layer.toml").write_text(toml(layer), encoding="utf-8")
        for path, text in put.items():
            (layers / name / path).parent.mkdir(parents=True, exist_ok=True)
            (layers / name / path).write_text(text, encoding="utf-8")
    base = {
        "suite": "trixie",
        "layers": case.get("order", ["base"]),
        "partitions": case.get("partitions", {"first": 64, "boot": 96, "root": 512, "data": 64}),
        "architectures": {
            "amd64": {"compatible": "watchlink-pc", "kernel": "linux-image-amd64"},
            "arm64": {"compatible": "watchlink-pi", "kernel": "linux-image-arm64"},
        },
    }
    (folder / "base.toml").write_text(toml(base), encoding="utf-8")
    return {"base_file": folder / "base.toml", "layers_folder": layers}


def toml(value: dict[str, Any]) -> str:
    return "".join(f"{key} = {_inline(one)}\n" for key, one in value.items())


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return f"'{value}'" if isinstance(value, str) else str(value)


def read(folder: Path, case: dict[str, Any], architecture: str = "amd64") -> Recipe:
    return read_recipe(architecture, VERSION, case.get("chosen"), **declared(folder, case))


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_recipe_that_cannot_be_built_is_refused(file: Path, tmp_path: Path) -> None:
    case = tomllib.loads(file.read_text(encoding="utf-8"))

    with pytest.raises(RecipeError, match=re.escape(case["error"])):
        read(tmp_path, case)


def test_unknown_machine_is_refused() -> None:
    with pytest.raises(RecipeError, match="there are amd64, arm64"):
        read_recipe("riscv64", VERSION)


def test_layer_of_another_machine_is_left_out(tmp_path: Path) -> None:
    case = {"order": ["base", "bench"], "layers": {"base": ABOUT, "bench": {**ABOUT, "architectures": ["amd64"]}}}

    assert ["base"] == [layer.name for layer in read(tmp_path, case, "arm64").layers]


def test_packages_are_those_of_all_machines_and_of_this_one(tmp_path: Path) -> None:
    packages = {"all": ["zstd"], "amd64": ["socat"], "arm64": ["raspi-firmware"]}

    recipe = read(tmp_path, {"layers": {"base": {**ABOUT, "packages": packages}}})

    assert ("linux-image-amd64", "socat", "zstd") == recipe.packages


def test_files_are_put_with_their_modes_and_values(tmp_path: Path) -> None:
    country = {"about": "country", "default": "GB", "matches": "[A-Z]{2}"}
    put = {
        "files/etc/wifi.in": "country=@country@ image=@version@ for=@compatible@ mail=a@b.example",
        "files/usr/lib/step": "#!/bin/sh\n",
    }
    chosen = {"country": "IE"}
    case = {"layers": {"base": {**ABOUT, "variables": {"country": country}, "put": put}}}
    places = declared(tmp_path, case)
    (places["layers_folder"] / "base/files/usr/lib/step").chmod(0o755)
    (places["layers_folder"] / "base/files/etc/link").symlink_to("wifi")

    files = {file.path: file for file in read_recipe("amd64", VERSION, chosen, **places).layers[0].files}

    assert {"/etc/wifi", "/etc/link", "/usr/lib/step"} == set(files)
    assert f"country=IE image={VERSION} for=watchlink-pc mail=a@b.example".encode() == files["/etc/wifi"].data
    assert ("wifi", 0o644, 0o755) == (files["/etc/link"].link, files["/etc/wifi"].mode, files["/usr/lib/step"].mode)


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_our_own_recipe_is_sound(architecture: str) -> None:
    recipe = read_recipe(architecture, VERSION)

    assert {layer.name for layer in recipe.layers} <= {folder.name for folder in LAYERS.iterdir()}
    assert ("bench" in {layer.name for layer in recipe.layers}) == (architecture == "amd64")


def test_pi_is_told_apart_from_the_bench() -> None:
    """A bundle for one must never be written to the other."""
    assert read_recipe("arm64", VERSION).machine.compatible != read_recipe("amd64", VERSION).machine.compatible


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_nobody_signs_in(architecture: str) -> None:
    """Neither from the network nor at a console: there is no SSH, and no program that asks for a name."""
    recipe = read_recipe(architecture, VERSION)

    assert [] == [name for name in recipe.packages if re.search(r"ssh|dropbear|telnet", name)]
    masked = {name for layer in recipe.layers for name in layer.units.mask}
    assert {"getty@.service", "autovt@.service", "serial-getty@.service", "console-getty.service"} <= masked
    assert {"debug-shell.service", "emergency.service", "rescue.service"} <= masked
    assert "console=" not in command_line("a") + command_line("b")


def test_every_layer_is_told_of() -> None:
    page = (Path(__file__).parents[2] / "docs/images.md").read_text(encoding="utf-8")

    told = re.findall(r"^\| `([a-z]+)` \|", page.partition("| layer | |")[2].partition("\n\n")[0], re.MULTILINE)
    assert [folder.name for folder in sorted(LAYERS.iterdir())] == sorted(told)


def test_wifi_is_served_by_the_name_that_it_has_at_the_end() -> None:
    """A Wi-Fi stick on USB is renamed by the rules that say so; a service for the name of before waits for ever."""
    (rules,) = (LAYERS / "network/files/etc/udev/rules.d").iterdir()

    assert rules.name > "80-net-setup-link.rules"
    assert "watchlink-wifi@$name.service" in rules.read_text(encoding="utf-8")
