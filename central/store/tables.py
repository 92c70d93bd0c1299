"""The tables as queries see them. The migrations make them; a test compares the two.

Times are whole microseconds since 1970 UTC, so that every database returns exactly what was written.
Node ids and counters are unsigned 32-bit numbers, so they need BIGINT.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

METADATA = MetaData()

FRAMES = Table(
    "frames",
    METADATA,
    # The last guard against counting a frame twice.
    Column("sender", BigInteger, primary_key=True, autoincrement=False),
    Column("counter", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", BigInteger, nullable=False, unique=True),
    Column("kind", SmallInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("path", String(16), nullable=False),
    Column("arrived_us", BigInteger, nullable=False),
    Column("is_late", Boolean, nullable=False),
    Column("is_clock_ahead", Boolean, nullable=False),
    Column("incident_node", BigInteger),
    Column("incident_counter", BigInteger),
    # The first node to pass it on from the radio.
    Column("relay", BigInteger),
    Index("frames_by_incident", "incident_node", "incident_counter"),
    Index("frames_by_arrival", "arrived_us"),
)
"""Every admitted frame. Append-only."""

ACTIONS = Table(
    "actions",
    METADATA,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("incident_node", BigInteger),
    Column("incident_counter", BigInteger),
    Column("role", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("text", String(500), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    # "person" or "watchlink".
    Column("actor", String(16), nullable=False, server_default="person"),
    # At the office; 0 = Watchlink itself, or from before there were accounts.
    Column("account", BigInteger, nullable=False, server_default="0"),
    # Of escalation: the step, or what became of a message, as JSON (central.core.journal).
    Column("details", Text),
    Index("actions_by_incident", "incident_node", "incident_counter"),
)
"""Everything that people or Watchlink itself did. Append-only; a migration may rename a kind.

Role and name as they were then; empty for Watchlink's own findings, and those of the person whose duty it ended."""

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("node", BigInteger, primary_key=True, autoincrement=False),
    Column("counter", BigInteger, primary_key=True, autoincrement=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("closed_us", BigInteger),
    Index("incidents_by_close", "closed_us"),
)
"""Which incidents exist and which are open, so that a start need not read years. The journal has their state."""

NODES = Table(
    "nodes",
    METADATA,
    Column("node", BigInteger, primary_key=True, autoincrement=False),
    Column("last_seen_us", BigInteger, nullable=False),
    Column("boot_id", String(64), nullable=False),
    # Capabilities that it understands, separated by spaces; NULL = not known.
    Column("speaks", String(600)),
    # What it said of itself, as JSON (central.core.unit_lines); NULL = nothing is known.
    Column("facts", Text),
)
"""Coarse liveness, minutes old."""

PATH_DAYS = Table(
    "path_days",
    METADATA,
    # Days since 1970, UTC.
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("node", BigInteger, primary_key=True, autoincrement=False),
    Column("path", String(16), primary_key=True),
    Column("watched_minutes", Integer, nullable=False),
    Column("up_minutes", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    # Alerts by delivery time: counts separated by spaces, by the bounds of central.core.figures.
    Column("deliveries", String(250), nullable=False),
)
"""Availability and delivery time of each path of each premises, by day. Minutes old."""

DUTY = Table(
    "duty",
    METADATA,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("role", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("account", BigInteger, nullable=False, server_default="0"),
    # Numbers separated by spaces; empty = all, as before there were accounts.
    Column("schemes", Text, nullable=False, server_default=""),
    # "page" or "phone"; empty = from before proofs.
    Column("proof", String(16), nullable=False, server_default=""),
    # What was left for them is still to be read.
    Column("is_unread", Boolean, nullable=False, server_default=sa.false()),
    # Of the action that ended it, which has the note to the next; NULL = from before notes.
    Column("ended_entry", BigInteger),
)
"""Who was on duty, and when."""

COUNTERS = Table(
    "counters",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Numbers that only rise: ``frames``, the highest counter central may have signed with; ``entries``, the highest entry
seen of a lost database. (``probe`` is 0.)"""

OPEN_ACTS = Table(
    "open_acts",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # As JSON.
    Column("action", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False, server_default="0"),
    # Whose alerts the person could answer, separated by spaces; NULL = all, as before there were accounts.
    Column("schemes", Text),
)
"""Acts for many incidents that are still being written to the journal, a few hundred at a time."""

TIMES = Table(
    "times",
    METADATA,
    Column("began_us", BigInteger, primary_key=True, autoincrement=False),
    Column("machine_boot", String(64), nullable=False),
    # Central's time minus the machine's steady clock in that boot.
    Column("offset_us", BigInteger, nullable=False),
    # When the next run began; NULL = none has.
    Column("left_us", BigInteger),
)
"""The time of each run of central, for three days: presses stamped with it may still be on their way."""

DIRECTORIES = Table(
    "directories",
    METADATA,
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    Column("taken_us", BigInteger, nullable=False),
)
"""The newest good directory, so that a damaged or older file changes nothing."""

SESSIONS = Table(
    "sessions",
    METADATA,
    # SHA-256 of the cookie.
    Column("digest", String(64), primary_key=True),
    Column("account", BigInteger, nullable=False),
    Column("name", String(64), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("way", String(16), nullable=False),
    # At the office; empty = none.
    Column("office_session", String(32), nullable=False),
    Column("second_factor_us", BigInteger),
    Column("address", String(64), nullable=False),
    Column("began_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("why", String(32), nullable=False),
    # Of the person while it was open, separated by spaces; empty = not known, as in versions before.
    Column("schemes", Text, nullable=False, server_default=""),
    Index("sessions_by_end", "ended_us"),
    Index("sessions_by_begin", "began_us"),
)
"""Every sign-in at the page, and how it ended. Those without an end are open."""

USED_ONCE = Table(
    "used_once",
    METADATA,
    # Of a ticket, or the digest of a printed code.
    Column("id", String(96), primary_key=True),
    # When it may be forgotten; NULL = never.
    Column("until_us", BigInteger),
)
"""What opens the door once only, and has."""

OFFICE_HEAD = Table(
    "office_head",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
)
"""The newest row of the office's audit that a snapshot has named: one row, which never goes back."""

PHONES = Table(
    "phones",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("account", BigInteger, nullable=False),
    Column("endpoint", String(1_024), nullable=False),
    Column("p256dh", String(87), nullable=False),
    Column("auth", String(22), nullable=False),
    Column("added_us", BigInteger, nullable=False),
    # When a test that was sent there was opened by its owner.
    Column("proven_us", BigInteger),
)
"""Phones that their owners let be told of alerts: subscriptions to push services."""
