"""A node's report on itself."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec.structs import force_setattr

from wire.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX
from wire.messages.fields import (
    CAPABILITIES_MAX,
    FAULTS_MAX,
    REASONS_MAX,
    Count,
    Message,
    Moment,
    Name,
    Slug,
    Text,
    cut,
    settle_moments,
)
from wire.text import display_text

TEMPERATURE_C_MIN: Final = -100
TEMPERATURE_C_MAX: Final = 200


class FaultReport(Message, frozen=True):
    """A part of the node that does not work now."""

    part: Name
    """``oled``, ``buttons``, ``sounder``, ``led``, ``store``, ``network``, ``radio``, ``modem``, ``speech``, ``clock``,
    ``card`` (the memory card's data partition), ``identity`` (another unit has this one's)."""
    detail: Text
    """What the driver said, in one line."""
    age_ms: Count
    """How long it has been broken."""

    def __post_init__(self) -> None:
        # A driver may say a page, or a path that is not Unicode; one line of it travels.
        force_setattr(self, "detail", display_text(self.detail, TEXT_CHARS_MAX))


class RadioReport(Message, frozen=True):
    """The radio path as its node sees it (N10, N11)."""

    state: Literal["fault", "listening", "untested", "ready"]
    """``listening``: no licence reference, so it never transmits. ``untested``: no recent path test has come back.
    ``ready``: the last one did."""
    licence: Name = ""
    """The reference, as configured."""
    tested_age_ms: Count | None = None
    """Age of the last path test that came back over the air; absent = none."""
    overs: Count = 0
    """Transmitted since start."""
    airtime_ms: Count = 0
    """Transmitted since start."""
    bursts_heard: Count = 0
    """Frames heard on the air and verified, since start."""
    busy_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    """Share of the last minutes in which others used the channel."""
    blocked_ms: Count = 0
    """How long an alert has waited for a channel that is never clear; 0 = none waits."""


class UpdateReport(Message, frozen=True):
    """What became of the newest release that applied to this unit."""

    serial: Count
    """Of that release."""
    version: Name
    """Of that release: not of what runs."""
    state: Slug
    """``fetching``, ``waiting`` (until the unit may restart), ``trying`` (booted, not yet proven), ``taken``,
    ``returned`` (the unit did not work with it as before, and runs the version of before again), ``refused``."""
    reason: Text = ""
    """Why, for ``waiting``, ``returned`` and ``refused``."""

    def __post_init__(self) -> None:
        force_setattr(self, "version", display_text(self.version, NAME_CHARS_MAX))
        force_setattr(self, "reason", display_text(self.reason, TEXT_CHARS_MAX))


class MachineReport(Message, frozen=True):
    """What the node's machine says of itself, a minute old at most; what it does not tell is absent."""

    profile: Name = ""
    """The hardware profile, as configured."""
    system: Name = ""
    """The operating system's name, from its ``os-release``."""
    support_ends_at: Moment | None = None
    """Midnight after the last day of the image's support, as its release says; else of the operating system's."""
    temperature_c: Annotated[int, msgspec.Meta(ge=TEMPERATURE_C_MIN, le=TEMPERATURE_C_MAX)] | None = None
    """The processor's, in degrees Celsius."""
    free_bytes: Count | None = None
    """Room for the node's user where it keeps its alerts."""
    has_battery_clock: bool | None = None
    """Whether there is a clock that goes on without power."""
    clock: Slug | None = None
    """Who vouches for the clock: ``ntp``, ``central``, ``machine`` (believed as configured) or ``none``."""
    is_speech_ready: bool | None = None
    """Whether every sentence for the radio is made; absent if this node speaks none."""
    image: Name = ""
    """Version of the system image that was booted, never one that is only intended; empty = the machine runs none."""
    slot: Slug | None = None
    """That it was booted from: ``a`` or ``b``."""
    update: UpdateReport | None = None
    """Absent if no release has applied to this unit yet."""

    def __post_init__(self) -> None:
        settle_moments(self, "support_ends_at")


class SettingsReport(Message, frozen=True):
    """What became of the settings that came from the fleet."""

    serial: Count
    """Of the newest that the node has judged."""
    state: Slug
    """``waiting``: until no alert is open. ``trial``: in use, and not yet proven. ``taken``. ``refused``: never used.
    ``returned``: the node did not work with them as before, and uses those of before again."""
    reason: Text = ""
    """Why, for all but ``taken``. In a ``trial``: why it ends as soon as nobody needs the unit; empty = it goes on."""
    in_force: Count = 0
    """Serial of those that count, or that the node returns to; 0 = what its own file says alone."""

    def __post_init__(self) -> None:
        force_setattr(self, "reason", display_text(self.reason, TEXT_CHARS_MAX))


class Health(Message, frozen=True):
    """``node/{node}/up/health``: every 10 s, and (with ``state="lost"``) as the node's last will."""

    state: Literal["armed", "starting", "stopping", "lost"]
    """``armed``: pins watched, store open. ``lost`` comes from the broker, as the last will."""
    boot_id: Name
    """New at every start of the program, so that a restart between two heartbeats shows."""
    version: Name = ""
    """The program's."""
    at: Moment | None = None
    """The node's clock; absent while it is not proven."""
    uptime_ms: Count = 0
    """Time since the start of the program."""
    outbox_depth: Count = 0
    """Stored frames without central's receipt."""
    oldest_unreceipted_ms: Count = 0
    """Age of the oldest of them."""
    directory_serial: Count = 0
    """Of the directory it holds; 0 = none."""
    faults: Annotated[tuple[FaultReport, ...], msgspec.Meta(max_length=FAULTS_MAX)] = ()
    """What does not work now."""
    rejected: Annotated[dict[Name, Count], msgspec.Meta(max_length=REASONS_MAX)] = msgspec.field(default_factory=dict)
    """Input rejected since start, by reason (:data:`wire.errors.REASONS`)."""
    radio: RadioReport | None = None
    """Absent if no radio is configured."""
    speaks: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=CAPABILITIES_MAX)] = ()
    """Newer features that it understands, names of :class:`~wire.kinds.Capability`. Believed only if signed."""
    certificate_ends_at: Moment | None = None
    """When its certificate for the network ends, or its issuer's if that is sooner; of the file on its disk now."""
    machine: MachineReport | None = None
    """Absent from older nodes, and in the first moments of a run."""
    settings: SettingsReport | None = None
    """Absent if none ever came from the fleet."""

    def __post_init__(self) -> None:
        settle_moments(self, "at", "certificate_ends_at")
        cut(self, "faults", FAULTS_MAX)
