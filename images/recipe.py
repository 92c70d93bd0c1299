"""The recipe: a base and its layers, read and checked before anything is built. Builds nothing.

| in a layer's folder | |
|---|---|
| ``layer.toml`` | what it is for; its packages, variables and units; what it takes from ``systemd/`` |
| ``files/``, ``files.ARCHITECTURE/`` | put into the root; ``name.in`` as ``name``, with each ``@variable@`` replaced |
| ``overlays/`` | ``NAME.dts``: compiled to ``overlays/NAME.dtbo`` beside the kernel |
| ``modules/NAME/`` | a module of the kernel, as source with a ``Kbuild`` |
| ``sdists.lock`` | Python packages that come as C source, with hashes |
| ``setup`` | a shell script, run in the root; variables are in its environment, in capitals |

Files may have ``@compatible@`` and ``@version@`` as well.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from images.errors import RecipeError

HERE: Final = Path(__file__).parent
LAYERS: Final = HERE / "layers"
SYSTEMD: Final = HERE.parent / "systemd"
PROGRAM: Final = 0o755
FILE: Final = 0o644
"""Modes of what is put into a root."""
BASE_FILE: Final = HERE / "base.toml"
CARD_ID: Final = "574c4b31"
"""Of every card, in its MBR: the root is found by it."""
TEMPLATE: Final = ".in"
EVERYWHERE: Final = "all"
INITRAMFS: Final = "initramfs-tools"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PACKAGE: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_UNIT: Final = re.compile(r"[A-Za-z0-9@_.\\-]+\.(service|socket|timer|mount|path|target)")
_PLACEHOLDER: Final = re.compile(r"@([a-z][a-z0-9_]*)@")
_MIB: Final = range(16, 4096)
_Read = TypeVar("_Read", bound=Struct)


class Variable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a builder may set."""

    about: str
    default: str
    matches: str
    """A regular expression for the whole value."""


class Units(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of systemd, by their names."""

    enable: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()


class LayerFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``layer.toml``."""

    about: str
    architectures: tuple[str, ...] = ()
    """Empty = all."""
    after: tuple[str, ...] = ()
    packages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By architecture; ``all`` = on each."""
    variables: dict[str, Variable] = field(default_factory=dict)
    units: Units = Units()
    shipped: tuple[str, ...] = ()
    """Files of the folder ``systemd``, by their names there."""


class Partitions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes in MiB."""

    first: int
    boot: int
    root: int
    data: int


class ArchitectureFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs between kinds of machine."""

    compatible: str
    """The sort of hardware, as releases name it."""
    kernel: str
    """Debian's package; empty = none."""
    headers: str = ""
    """Debian's package to compile modules for that kernel with."""
    components: tuple[str, ...] = ("main",)
    """Parts of Debian's archive."""
    values: dict[str, str] = field(default_factory=dict)
    """Of variables, instead of their defaults."""


class BaseFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``base.toml``."""

    suite: str
    layers: tuple[str, ...]
    partitions: Partitions
    architectures: dict[str, ArchitectureFile]


class PlacedFile(Struct, frozen=True):
    """A file of a layer, and where it goes.

    Attributes:
        path: absolute, in the root.
        source: here.
        mode: permissions; the owner is root.
        link: where it points, if it is a symbolic link; else empty.
        data: its contents.
    """

    path: str
    source: Path
    mode: int
    link: str
    data: bytes


class Sources(Struct, frozen=True):
    """What of a layer is compiled: device tree overlays, folders of kernel modules, the lock of Python packages."""

    overlays: tuple[Path, ...]
    modules: tuple[Path, ...]
    sdists: Path | None


class Layer(Struct, frozen=True):
    """A layer, for one architecture, with its variables settled."""

    name: str
    about: str
    packages: tuple[str, ...]
    values: Mapping[str, str]
    units: Units
    files: tuple[PlacedFile, ...]
    sources: Sources
    setup: Path | None


class Recipe(Struct, frozen=True):
    """All that an image is made of."""

    suite: str
    architecture: str
    version: str
    machine: ArchitectureFile
    partitions: Partitions
    layers: tuple[Layer, ...]

    @property
    def packages(self) -> tuple[str, ...]:
        """Of Debian's, sorted, with the kernel."""
        names = {name for layer in self.layers for name in layer.packages}
        return tuple(sorted(names | {self.machine.kernel} if self.machine.kernel else names - {INITRAMFS}))

    def without_kernel(self) -> Recipe:
        """For a container, which runs on the kernel that is there."""
        return replace(self, machine=replace(self.machine, kernel=""))


def read_recipe(
    architecture: str,
    version: str,
    chosen: Mapping[str, str] | None = None,
    *,
    base_file: Path = BASE_FILE,
    layers_folder: Path = LAYERS,
) -> Recipe:
    """Read and check it.

    Args:
        architecture: Debian's name.
        version: of the image: numbers with dots.
        chosen: values of variables, by name; the others have their defaults.
        base_file: ``base.toml``.
        layers_folder: where the layers' folders are.

    Raises:
        RecipeError: something cannot be used.
    """
    base = _read(base_file, BaseFile)
    if architecture not in base.architectures:
        raise RecipeError(f"{architecture}: no such architecture; there are {', '.join(sorted(base.architectures))}")
    for name, size_mib in msgspec.structs.asdict(base.partitions).items():
        if size_mib not in _MIB:
            raise RecipeError(f"{base_file}: partitions.{name}: {size_mib} MiB; it is {_MIB[0]} to {_MIB[-1]}")
    files = {name: _layer_file(layers_folder / name, base.architectures) for name in _once(base.layers, base_file)}
    _check_order(base.layers, files, base_file)
    used = [name for name in base.layers if not files[name].architectures or architecture in files[name].architectures]
    machine = base.architectures[architecture]
    values = _settled([(name, files[name].variables) for name in used], {**machine.values, **(chosen or {})})
    values |= {"compatible": machine.compatible, "version": version}
    layers = tuple(_layer(layers_folder / name, files[name], architecture, values) for name in used)
    _check_files(layers)
    return Recipe(base.suite, architecture, version, machine, base.partitions, layers)


def _read(file: Path, kind: type[_Read]) -> _Read:
    try:
        return msgspec.toml.decode(file.read_bytes(), type=kind)
    except OSError as e:
        raise RecipeError(f"{file}: cannot be read: {e.strerror}") from e
    except msgspec.MsgspecError as e:
        raise RecipeError(f"{file}: {e}") from e


def _once(names: Iterable[str], file: Path) -> list[str]:
    found: list[str] = []
    for name in names:
        if not _NAME.fullmatch(name):
            raise RecipeError(f"{file}: “{name}” is no layer's name: small letters, digits and _")
        if name in found:
            raise RecipeError(f"{file}: the layer {name} is named twice")
        found.append(name)
    return found


def _layer_file(folder: Path, architectures: Mapping[str, object]) -> LayerFile:
    file = folder / "layer.toml"
    layer = _read(file, LayerFile)
    for key in (*layer.packages, *layer.architectures):
        if key not in architectures and (key != EVERYWHERE or key in layer.architectures):
            raise RecipeError(f"{file}: “{key}” is no architecture of the base")
    names = [(_PACKAGE, "package", name) for named in layer.packages.values() for name in named]
    names += [(_UNIT, "unit", name) for name in (*layer.units.enable, *layer.units.mask)]
    names += [(_NAME, "variable", name) for name in layer.variables]
    for pattern, what, name in names:
        if not pattern.fullmatch(name):
            raise RecipeError(f"{file}: “{name}” is no {what}'s name")
    for name, variable in layer.variables.items():
        _check_default(file, name, variable)
    return layer


def _check_default(file: Path, name: str, variable: Variable) -> None:
    try:
        fits = re.fullmatch(variable.matches, variable.default)
    except re.error as e:
        raise RecipeError(f"{file}: variables.{name}.matches is no regular expression: {e}") from e
    if not fits:
        raise RecipeError(f"{file}: the default of {name} does not match {variable.matches}")


def _check_order(names: tuple[str, ...], files: Mapping[str, LayerFile], base_file: Path) -> None:
    for place, name in enumerate(names):
        for wanted in files[name].after:
            if wanted not in names[:place]:
                raise RecipeError(f"{base_file}: the layer {name} comes after {wanted}, which is not before it")


def _settled(declared: Iterable[tuple[str, Mapping[str, Variable]]], chosen: dict[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for layer, variables in declared:
        for name, variable in variables.items():
            if name in values:
                raise RecipeError(f"the variable {name} of the layer {layer} is another layer's already")
            value = chosen.pop(name, variable.default)
            if not re.fullmatch(variable.matches, value):
                raise RecipeError(f"{name} = “{value}” does not match {variable.matches}: {variable.about}")
            values[name] = value
    if chosen:
        raise RecipeError(f"{min(chosen)}: no layer has such a variable; there are {', '.join(sorted(values))}")
    return values


def _layer(folder: Path, file: LayerFile, architecture: str, values: Mapping[str, str]) -> Layer:
    packages = (*file.packages.get(EVERYWHERE, ()), *file.packages.get(architecture, ()))
    twice = next((name for name in packages if packages.count(name) > 1), None)
    if twice is not None:
        raise RecipeError(f"{folder / 'layer.toml'}: the package {twice} is named twice")
    placed = [_shipped(folder, name) for name in file.shipped]
    for part in ("files", f"files.{architecture}"):
        placed += _placed(folder / part, values)
    script = folder / "setup"
    setup = script if script.exists() else None
    if setup is not None and not setup.read_bytes().startswith(b"#!/bin/sh\n"):
        raise RecipeError(f"{setup}: its first line is not #!/bin/sh")
    return Layer(folder.name, file.about, packages, values, file.units, tuple(placed), _sources(folder), setup)


def _sources(folder: Path) -> Sources:
    overlays = tuple(sorted((folder / "overlays").glob("*.dts")))
    modules = tuple(sorted(file.parent for file in (folder / "modules").glob("*/Kbuild")))
    locked = folder / "sdists.lock"
    return Sources(overlays, modules, locked if locked.exists() else None)


def _shipped(folder: Path, name: str) -> PlacedFile:
    """Where one of ``systemd/`` goes: a unit or a part of one, another part of ``/etc``, or else a program."""
    source = SYSTEMD / name
    if not source.is_file():
        raise RecipeError(f"{folder / 'layer.toml'}: there is no systemd/{name}")
    if _UNIT.fullmatch(name.partition(".d/")[0]):
        return PlacedFile(f"/etc/systemd/system/{name}", source, FILE, "", source.read_bytes())
    if "/" in name:
        return PlacedFile(f"/etc/{name}", source, FILE, "", source.read_bytes())
    return PlacedFile(f"/opt/watchlink/libexec/{name}", source, PROGRAM, "", source.read_bytes())


def _placed(folder: Path, values: Mapping[str, str]) -> list[PlacedFile]:
    found = []
    for source in sorted(folder.rglob("*")):
        if source.is_dir() and not source.is_symlink():
            continue
        path = f"/{source.relative_to(folder)}"
        if source.is_symlink():
            found.append(PlacedFile(path, source, 0o777, str(source.readlink()), b""))
            continue
        mode = PROGRAM if source.stat().st_mode & stat.S_IXUSR else FILE
        data = source.read_bytes()
        if path.endswith(TEMPLATE):
            path, data = path.removesuffix(TEMPLATE), _filled(source, data, values)
        found.append(PlacedFile(path, source, mode, "", data))
    return found


def _filled(source: Path, data: bytes, values: Mapping[str, str]) -> bytes:
    text = data.decode("utf-8")
    unknown = next((name for name in _PLACEHOLDER.findall(text) if name not in values), None)
    if unknown is not None:
        raise RecipeError(f"{source}: @{unknown}@ is no variable")
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text).encode()


def _check_files(layers: Iterable[Layer]) -> None:
    owners: dict[str, str] = {}
    for layer in layers:
        for file in layer.files:
            if file.path in owners:
                raise RecipeError(f"{file.path} is put by the layers {owners[file.path]} and {layer.name}")
            owners[file.path] = layer.name
