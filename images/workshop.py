"""Compiles what Debian has not: device tree overlays, modules of its kernel, Python packages that come as C source.

The workshop is a small Debian of the image's suite with tools of the machine that builds. Its compiler is of the
image's machine, and emulated: the kernel's headers depend on that one. It is kept until the kernel changes.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from images.errors import BuildError
from images.programs import run, run_in_root
from images.recipe import Recipe

LIBRARIES: Final = "opt/watchlink/lib/python3.13/site-packages"
OVERLAYS: Final = "boot/firmware/overlays"
_TRIPLETS: Final = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_KERNEL_NAMES: Final = {"amd64": "x86_64", "arm64": "arm64"}
_TOOLS: Final = ("make", "python3-setuptools", "python3.13", "swig")
_STAMP: Final = "made"

# In the workshop, in an empty /tmp: the same path, and the same order of files, at each build.
_MODULE: Final = """
cp -r "/opt/sources/$NAME" /tmp/ && cd "/tmp/$NAME"
make -s -C "/usr/src/linux-headers-$KERNEL" M="/tmp/$NAME" ARCH="$KERNEL_NAME" CROSS_COMPILE="$TRIPLET-" modules
"$TRIPLET-strip" --strip-debug "$NAME.ko"
cp "$NAME.ko" /opt/sources/
"""
_WHEEL: Final = """
tar -xf "/opt/sources/$NAME" -C /tmp && cd /tmp/*/
python3.13 setup.py --quiet bdist_wheel --dist-dir /opt/sources/wheels
"""


def compile_sources(recipe: Recipe, root: Path, kernel: str, folder: Path, env: Mapping[str, str]) -> None:
    """Compile what the layers have as source, into the root.

    Args:
        recipe: what of.
        root: the image's.
        kernel: version of the root's.
        folder: of the workshop, which is made there if it is not there.
        env: of programs that run.

    Raises:
        BuildError: a step failed.
    """
    compile_overlays(recipe, root)
    modules = [source for layer in recipe.layers for source in layer.sources.modules]
    locks = [layer.sources.sdists for layer in recipe.layers if layer.sources.sdists is not None]
    if not (modules or locks):
        return
    shop = _workshop(recipe, kernel, folder)
    triplet = _TRIPLETS[recipe.architecture]
    env = {
        **env,
        "KERNEL": kernel,
        "KERNEL_NAME": _KERNEL_NAMES[recipe.architecture],
        "TRIPLET": triplet,
        "PYPI": "1",  # lgpio: with its library in it.
        "LDFLAGS": "-s",
        "_PYTHON_SYSCONFIGDATA_NAME": f"_sysconfigdata__{triplet}",
        "_PYTHON_HOST_PLATFORM": f"linux-{triplet.partition('-')[0]}",
    }
    for source in modules:
        compiled = root / "usr/lib/modules" / kernel / "updates" / f"{source.name}.ko"
        compiled.parent.mkdir(exist_ok=True)
        shutil.copyfile(_module(shop, source, env), compiled)
    for lock in locks:
        for wheel in _wheels(shop, lock, env):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(root / LIBRARIES)


def compile_overlays(recipe: Recipe, root: Path) -> None:
    """Compile the layers' overlays to where the firmware looks for them.

    Raises:
        BuildError: one cannot be compiled.
    """
    for layer in recipe.layers:
        for source in layer.sources.overlays:
            compiled = root / OVERLAYS / f"{source.stem}.dtbo"
            compiled.parent.mkdir(parents=True, exist_ok=True)
            run("dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", compiled, source)


def check_overlays(root: Path) -> None:
    """Make sure that each of our overlays fits each board whose device tree is in the image.

    Raises:
        BuildError: one does not; Debian's device trees have changed.
    """
    overlays = sorted((root / OVERLAYS).glob("*.dtbo"))
    for board in sorted((root / OVERLAYS).parent.glob("*.dtb")):
        for overlay in overlays:
            run("fdtoverlay", "-i", board, "-o", "/dev/null", overlay)


def _workshop(recipe: Recipe, kernel: str, folder: Path) -> Path:
    """The workshop for this kernel, made anew if it is not there."""
    shop = folder / f"{recipe.architecture}-{kernel}"
    if (shop / _STAMP).exists():
        return shop
    if not recipe.machine.headers:
        raise BuildError(f"base.toml names no headers for {recipe.architecture}, and a layer has source to compile")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ours = run("dpkg", "--print-architecture").strip()
    theirs = recipe.architecture
    # Each by its architecture: apt may choose tools that have to be emulated.
    tools = (f"gcc-{_TRIPLETS[theirs].replace('_', '-')}", *_TOOLS)
    wanted = [f"{tool}:{ours}" for tool in tools]
    wanted += [f"{package}:{theirs}" for package in ("libpython3.13-dev", recipe.machine.headers)]
    run(
        *("unshare", "--mount", "--propagation=private", "mmdebstrap", "--quiet", "--mode=root", "--variant=apt"),
        *("--format=directory", f"--architectures={','.join(dict.fromkeys((ours, theirs)))}"),
        *(f"--include={','.join(wanted)}", "--dpkgopt=path-exclude=/usr/share/doc/*"),
        *(recipe.suite, shop),
        env={"INITRD": "No", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
    )
    if not (shop / "usr/src" / f"linux-headers-{kernel}").is_dir():
        raise BuildError(f"Debian's archive has changed: there are no headers for {kernel} any more. Build again.")
    (shop / _STAMP).touch()
    return shop


def _work(shop: Path) -> Path:
    work = shop / "opt/sources"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return work


def _module(shop: Path, source: Path, env: Mapping[str, str]) -> Path:
    work = _work(shop)
    shutil.copytree(source, work / source.name)
    run_in_root(shop, ("sh", "-euc", _MODULE), {**env, "NAME": source.name})
    return work / f"{source.name}.ko"


def _wheels(shop: Path, lock: Path, env: Mapping[str, str]) -> list[Path]:
    work = _work(shop)
    # pip checks a source against the lock before it looks into it.
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps")
    run(*pip, "--require-hashes", "--no-binary", ":all:", "--dest", work, "--requirement", lock)
    for source in sorted(work.iterdir()):
        run_in_root(shop, ("sh", "-euc", _WHEEL), {**env, "NAME": source.name})
    return sorted((work / "wheels").iterdir())
