"""Faults planted on purpose, one at a time, to see that the invariants have teeth. Never set outside the campaign."""

from __future__ import annotations

from enum import StrEnum


class Plant(StrEnum):
    """What is wrong."""

    RECEIPT_BEFORE_COMMIT = "receipt-before-commit"
    """Central answers as soon as it has decided to write."""
    COUNTER_NOT_PERSISTED = "counter-not-persisted"
    """The counter lives in memory only; a crash brings used ones back."""
    FORGOTTEN_ON_PUBACK = "forgotten-on-puback"
    """The outbox row goes when the broker has it."""
    INBOX_FORGOTTEN = "inbox-forgotten"
    """What was shown is not remembered over a restart."""
    OLD_INCIDENT_SUPPRESSES = "old-incident-suppresses"
    """A press is swallowed while an earlier one waits."""
    SAID_RECEIVED_ON_PUBACK = "said-received"
    """The screen says RECEIVED while it is still trying."""
    LATE_SHOWN_AS_LIVE = "late-shown-as-live"
    """Central forgets how old an alert is."""
