"""The root: Debian's packages, the layers' files, Watchlink's programs and units, and the initramfs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from images.errors import BuildError
from images.programs import run, run_in_root
from images.recipe import FILE, PROGRAM, SYSTEMD, Layer, PlacedFile, Recipe
from images.workshop import check_overlays, compile_sources
from installation.node_places import ADOPT, SHIPPED

_LEFT_OUT: Final = ("/usr/share/locale/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/doc/*")
_KEPT: Final = ("/usr/share/doc/*/copyright",)
_EMPTIED: Final = (
    "etc/hostname",
    "etc/resolv.conf",
    "var/lib/systemd/random-seed",
    "var/lib/dbus/machine-id",
    "etc/machine-id",
    "var/cache/ldconfig/aux-cache",
    "var/lib/systemd/catalog/database",
)
"""Each build would make them anew, or each unit has its own."""
_COMPILED: Final = ("usr/lib/python3.13", "usr/lib/python3", "usr/share/python3")
"""Where Debian has its Python, packages for it, and its own tools. The last come with a Pi's packages alone."""
_PACKAGE: Final = "watchlink.deb"
_ENVIRONMENT: Final = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def build_root(recipe: Recipe, root: Path, package: Path, epoch_s: int, workshop: Path) -> None:
    """Make the root in the folder ``root``, which is not there yet. Needs root's rights.

    Args:
        recipe: what of.
        root: where.
        package: Watchlink's own Debian package.
        epoch_s: Unix time that stands for "now" wherever a file tells it.
        workshop: folder of the workshop, which is kept.

    Raises:
        BuildError: a step failed.
    """
    bootstrap(recipe, root)
    compile_sources(recipe, root, kernel_version(root), workshop, {"SOURCE_DATE_EPOCH": str(epoch_s)})
    dress(recipe, root, package, epoch_s)
    compile_python(root, epoch_s)
    check_compiled(root)


def compile_python(root: Path, epoch_s: int) -> None:
    """Compile Python's own library anew, without its sources' times: in the image all files have one.

    What Debian compiled would be too old for them, and compiled again by each program that starts.

    Raises:
        BuildError: a file cannot be compiled.
    """
    compiling = ("python3.13", "-m", "compileall", "-q", "-f", "-j", "0", "--invalidation-mode", "unchecked-hash")
    env = {**_ENVIRONMENT, "SOURCE_DATE_EPOCH": str(epoch_s)}
    folders = [folder for folder in _COMPILED if (root / folder).exists()]
    run_in_root(root, (*compiling, *(f"/{folder}" for folder in folders)), env)


def check_compiled(root: Path) -> None:
    """Make sure that nothing in the root was compiled with its source's time (PEP 552).

    Raises:
        BuildError: something was.
    """
    for folder in (root / "opt", root / "usr"):
        for file in folder.rglob("*.pyc"):
            with file.open("rb") as compiled:
                flags = compiled.read(8)[4:]
            if not flags[0] & 1:
                raise BuildError(f"/{file.relative_to(root)} is compiled for a source of another time: images/root.py")


def dress(recipe: Recipe, root: Path, package: Path, epoch_s: int) -> None:
    """Put everything into a root that has its packages.

    Raises:
        BuildError: a step failed.
    """
    env = {**_ENVIRONMENT, "SOURCE_DATE_EPOCH": str(epoch_s)}
    _install(root, package, env)
    for path, name in SHIPPED.items():
        source = SYSTEMD / name
        _put(root, PlacedFile(path, source, PROGRAM if path == ADOPT else FILE, "", source.read_bytes()))
    for layer in recipe.layers:
        for file in layer.files:
            _put(root, file)
    run_in_root(root, ("systemd-sysusers",), env)
    for layer in recipe.layers:
        _set_up(root, layer, {**env, "WATCHLINK_ARCHITECTURE": recipe.architecture})
    check_overlays(root)
    _release(root, {"IMAGE_ID": recipe.machine.compatible, "IMAGE_VERSION": recipe.version})
    if recipe.machine.kernel:
        _make_initramfs(root, env)
    _clean(root, epoch_s)


def kernel_version(root: Path) -> str:
    """The one kernel's.

    Raises:
        BuildError: there is none, or more than one.
    """
    versions = sorted(folder.name for folder in (root / "usr/lib/modules").iterdir())
    if len(versions) != 1:
        raise BuildError(f"the root has {len(versions)} kernels, and should have one: {', '.join(versions)}")
    return versions[0]


def bootstrap(recipe: Recipe, root: Path) -> None:
    """Make a root with the recipe's packages alone.

    Raises:
        BuildError: they cannot be had.
    """
    # The initramfs is made once, when everything that goes into it is there.
    run(
        *("unshare", "--mount", "--propagation=private"),
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory"),
        *(f"--architectures={recipe.architecture}", f"--include={','.join(recipe.packages)}"),
        f"--components={','.join(recipe.machine.components)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        *(f"--dpkgopt=path-include={pattern}" for pattern in _KEPT),
        "--dpkgopt=force-confold",
        *(recipe.suite, root),
        env={**_ENVIRONMENT, "INITRD": "No"},
    )


def _install(root: Path, package: Path, env: Mapping[str, str]) -> None:
    here = root / "opt" / _PACKAGE
    here.parent.mkdir(exist_ok=True)
    shutil.copyfile(package, here)
    run_in_root(root, ("dpkg", "--install", f"/opt/{_PACKAGE}"), env)
    here.unlink()


def _put(root: Path, file: PlacedFile) -> None:
    target = root / file.path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if file.link:
        target.symlink_to(file.link)
        return
    target.write_bytes(file.data)
    target.chmod(file.mode)


def _set_up(root: Path, layer: Layer, env: Mapping[str, str]) -> None:
    if layer.setup is not None:
        there = root / "opt" / "setup"
        shutil.copyfile(layer.setup, there)
        values = {name.upper(): value for name, value in layer.values.items()}
        run_in_root(root, ("sh", "-eu", "/opt/setup"), {**env, **values})
        there.unlink()
    for verb, names in (("enable", layer.units.enable), ("mask", layer.units.mask)):
        if names:
            run("systemctl", f"--root={root}", "--quiet", verb, *names)


def _release(root: Path, facts: Mapping[str, str]) -> None:
    file = root / "usr/lib/os-release"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.partition("=")[0] not in facts]
    lines += [f'{name}="{value}"' for name, value in facts.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _make_initramfs(root: Path, env: Mapping[str, str]) -> None:
    version = kernel_version(root)
    run_in_root(root, ("depmod", version), env)
    run_in_root(root, ("update-initramfs", "-c", "-k", version), env)


def _clean(root: Path, epoch_s: int) -> None:
    for name in _EMPTIED:
        (root / name).unlink(missing_ok=True)
    for log in (root / "var/log").rglob("*"):
        if log.is_file():
            log.unlink()
    # The clock never stands before the build (systemd's first guess), and no start looks whether /etc is out of date.
    for name in ("usr/lib/clock-epoch", "etc/.updated", "var/.updated"):
        (root / name).touch()
        os.utime(root / name, (epoch_s, epoch_s))
