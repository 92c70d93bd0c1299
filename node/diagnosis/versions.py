"""What is installed and what it runs on. No serial number, no host name."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Final

from node.check.machine import Machine, said

_LIBRARIES: Final = (
    *("cryptography", "gpiozero", "luma.core", "luma.oled", "msgspec", "paho-mqtt", "pillow", "pyserial", "sdnotify"),
    *("lgpio", "smbus2", "spidev"),
)
_PACKAGES: Final = (
    *("alsa-utils", "direwolf", "espeak-ng", "linux-image-rpi-v8", "python3-lgpio", "python3-smbus2", "python3-spidev"),
    *("raspi-firmware", "systemd", "watchlink", "xfonts-terminus"),
)
_PLAIN: Final = re.compile(r"[A-Za-z0-9.+~:_-]{1,60}")
_MODEL: Final = re.compile(r"Raspberry Pi [A-Za-z0-9 .+]{1,50}")
_INTERFACE: Final = re.compile(r"(lo|eth\d|end\d|wlan\d|usb\d|wwan\d|en[a-z0-9]{1,8})")
_STATES: Final = frozenset({"up", "down", "unknown", "dormant", "lowerlayerdown"})


def versions(program: str, machine: Machine) -> dict[str, object]:
    """Versions, the machine's model, and which network interfaces are up."""
    model = machine.text("/proc/device-tree/model") or ""
    system = dict(line.partition("=")[::2] for line in (machine.text("/etc/os-release") or "").splitlines())
    name, number = (_plain(system.get(key, "").strip('"')) for key in ("ID", "VERSION_ID"))
    return {
        "watchlink": _plain(program),
        "python": platform.python_version(),
        "kernel": _plain(platform.release()),
        "machine": _plain(platform.machine()),
        "model": model if _MODEL.fullmatch(model) else "no Raspberry Pi",
        "system": f"{name} {number}",
        "up_s": int(float((machine.text("/proc/uptime") or "0").split()[0])),
        "libraries": {name: _library(name) for name in _LIBRARIES},
        "packages": _packages(),
        "interfaces": _interfaces(machine),
    }


def _plain(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else "?"


def _library(name: str) -> str:
    try:
        return _plain(installed(name))
    except PackageNotFoundError:
        return "not installed"
    except OSError:
        return "?"


def _packages() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        told = said("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", name) or ""
        state, _, number = told.partition(" ")
        found[name] = _plain(number) if state == "installed" else "not installed"
    return found


def _interfaces(machine: Machine) -> dict[str, str]:
    found = {}
    for folder in machine.listed("/sys/class/net", "*"):
        state = machine.text(f"/sys/class/net/{folder.name}/operstate") or ""
        if _INTERFACE.fullmatch(folder.name) and state in _STATES:
            found[folder.name] = state
    return found
