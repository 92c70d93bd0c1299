"""``watchlink node check``: checks everything the node needs, and reports it in plain words."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from msgspec import Struct

from node.clock import is_synchronised
from node.config import NodeConfig, load_config
from node.hw.errors import UnknownProfileError
from node.hw.profiles import profile_named
from runtime.config import ConfigError
from runtime.tls import client_context
from wire.ids import node_text

FREE_BYTES_MIN: Final = 16 * 1024 * 1024


class Finding(Struct, frozen=True):
    """The result of one check."""

    is_good: bool
    text: str

    @property
    def line(self) -> str:
        """As printed."""
        return f"{'ok  ' if self.is_good else 'BAD '} {self.text}"


def check(config_file: Path, version: str) -> list[Finding]:
    """Check everything, without touching network, pins or database.

    Raises:
        ConfigError: the configuration itself cannot be used.
    """
    config = load_config(config_file, version)
    settings = config.settings
    numbers = ", ".join(map(str, settings.scheme_numbers))
    findings = [
        Finding(
            is_good=True, text=f"{config_file}: node {node_text(settings.node)}, {settings.premises}, scheme {numbers}"
        ),
        Finding(is_good=True, text=f"signing key and directory {config.directory.serial}"),
        _certificate(config),
        _disk(config.state_dir),
        _hardware(config),
        _radio(config),
    ]
    findings += [Finding(is_good=False, text=warning) for warning in config.warnings]
    if not config.is_clock_trusted and not is_synchronised():
        # Normal for the first minute, and where central vouches for the time.
        findings.append(
            Finding(is_good=True, text="clock: no NTP yet; alerts carry no time until it or central agrees")
        )
    return findings


def _certificate(config: NodeConfig) -> Finding:
    link = config.link
    if config.link_problem:
        return Finding(is_good=False, text=config.link_problem)
    try:
        client_context(Path(link.ca_file), Path(link.certificate_file), Path(link.key_file), lambda _: None)
    except ConfigError as e:
        return Finding(is_good=False, text=str(e))
    return Finding(is_good=True, text=f"certificate for {link.host}:{link.port}")


def _disk(state_dir: Path) -> Finding:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=state_dir, prefix=".check-") as probe:
            probe.write(bytes(4096))
            probe.flush()
            os.fsync(probe.fileno())
        free_bytes = shutil.disk_usage(state_dir).free
    except OSError as e:
        return Finding(is_good=False, text=f"{state_dir}: cannot be written: {e.strerror}")
    free_mb = free_bytes // 1_000_000
    return Finding(is_good=free_bytes >= FREE_BYTES_MIN, text=f"{state_dir}: written and synced, {free_mb} MB free")


def _hardware(config: NodeConfig) -> Finding:
    try:
        profile = profile_named(config.profile)
    except UnknownProfileError as e:
        return Finding(is_good=False, text=str(e))
    return Finding(is_good=True, text=f"hardware profile {profile.name}: {profile.title}")


def _radio(config: NodeConfig) -> Finding:
    """The radio as configured; ``radio-check`` finds out whether it works."""
    table = config.radio.table
    if table.driver == "none":
        return Finding(is_good=True, text="no radio: alerts go by the network alone")
    if not table.licence:
        text = f"radio {table.driver}: only listens: no licence reference under [radio]"
        return Finding(is_good=False, text=text)
    return Finding(is_good=True, text=f"radio {table.driver}: transmits under {table.licence}")
