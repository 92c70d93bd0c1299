"""A node's identity and settings, as the core needs them. Built once by :mod:`node.config`, frozen."""

from __future__ import annotations

from msgspec import Struct, field

from node.core.screens import Place
from wire.ids import NodeId


class Timing(Struct, frozen=True):
    """Named times, all in milliseconds on the monotonic clock."""

    debounce_ms: int = 20
    """A level must hold this long before it counts."""
    hold_ms: int = 1_000
    """Attack by holding one button."""
    chord_ms: int = 300
    """Attack by two buttons (attack + assist) going down less than this apart."""
    receipt_due_ms: int = 2_000
    """Without a receipt by then: tell the presser and take the other path (N8)."""
    resend_first_ms: int = 2_000
    resend_max_ms: int = 60_000
    """Re-publish doubles from first to max, for ever, until the receipt."""
    health_ms: int = 10_000
    central_lost_ms: int = 30_000
    """No status from central for this long: the path is down, whatever the socket says."""
    neighbour_inverted_ms: int = 60_000
    neighbour_shown_ms: int = 900_000
    outcome_shown_ms: int = 60_000
    """ANSWERED, CANCELLED, CLOSED stay this long after the last change, then the idle face."""
    part_retry_ms: int = 5_000
    late_after_ms: int = 60_000
    """A neighbour's alert older than this is shown as late, never as live (N13)."""
    weekly_test_due_ms: int = 7 * 86_400_000
    """Between two tests that staff are asked for (N12)."""
    stuck_ms: int = 60_000
    """A button down for longer is a fault of the buttons, not a wish."""
    mistake_ms: int = 10_000
    """A cancel within this of the press says "mistake"; later it says "stand down" (N6)."""
    saving_shown_ms: int = 200
    """If the disk has not answered by then, the screen says that the press was noticed and is being saved."""
    boot_shown_ms: int = 10_000
    """How long STARTING waits for central's first word before it says NO LINK."""
    hint_shown_ms: int = 3_000
    page_turn_ms: int = 5_000
    """Several alerts on one panel: each gets this long, then the next."""
    sound_ms: int = 60_000
    """No pattern plays longer than this."""
    silent_quiet_ms: int = 900_000
    """A silent attack keeps neighbours' alerts off the panel until it closes, at most this long (N4)."""
    settings_steady_ms: int = 20_000
    """Settings on trial are taken once all has worked for this long, and given up if a part fails for as long."""
    settings_trial_ms: int = 300_000
    """A trial lasts at most this long."""


class RadioTiming(Struct, frozen=True):
    """Times of the radio path, in milliseconds."""

    lone_wait_ms: tuple[int, int] = (1_000, 2_000)
    """Random wait of an alert before it goes on the air, when nobody else is heard. The more nodes seem to want the
    channel, the slower it is counted down: see :mod:`node.core.radio.channel_access`."""
    attack_wait_max_ms: int = 4_000
    """An attack breaks in on a busy channel after this (N10)."""
    answer_due_ms: int = 5_000
    """From the end of an over to central's receipt over the air; without one by then the over was lost."""
    slow_try_ms: int = 120_000
    """Between tries after the first three, for ever."""
    blocked_after_ms: int = 15_000
    """If an alert waits this long for a clear channel, the channel is reported as blocked (jamming)."""
    path_test_ms: int = 6 * 3_600_000
    """Between two radio path tests, ± a quarter (N11); the first comes within ``path_test_first_ms``."""
    path_test_first_ms: int = 60_000
    path_test_valid_ms: int = 26 * 3_600_000
    """A passed test older than this proves nothing."""


class RadioSettings(Struct, frozen=True):
    """The radio beside the node.

    Attributes:
        licence: the licence reference; empty = listen only (N10).
        seed: of the random waits; drawn at every start.
        has_neutral_phrase: the scheme has set words for silent attacks (N4).
        has_key: the node moves the transmit key itself.
    """

    licence: str = ""
    seed: int = 0
    has_neutral_phrase: bool = False
    has_key: bool = False
    timing: RadioTiming = field(default_factory=RadioTiming)


class Settings(Struct, frozen=True):
    """One node.

    Attributes:
        node: its id.
        premises, place: its names, for its own screens.
        scheme_numbers: the schemes it is in; a press goes to all of them.
        is_attack_silent: attack keeps the idle face and makes no sound (N4).
        is_chord_enabled: attack + assist pressed together is an attack.
        version: the program's version, for boot screen and health.
        radio: ``None`` = there is none.
        has_gallery: a gallery on this unit may ask for alerts, and is told what it needs to know.
        picture_place: where the panel can show a photograph; ``None`` = nowhere.
    """

    node: NodeId
    premises: str
    place: str
    scheme_numbers: tuple[int, ...]
    is_attack_silent: bool = False
    is_chord_enabled: bool = True
    version: str = ""
    timing: Timing = field(default_factory=Timing)
    radio: RadioSettings | None = None
    has_gallery: bool = False
    picture_place: Place | None = None
