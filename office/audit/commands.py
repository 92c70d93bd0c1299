"""What the commands of the audit do. They print for the person who runs them, and return an exit status."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from django.db import connection, transaction

from office.audit import chain, triggers
from office.audit.beginning_anew import begin_anew
from office.audit.journal import digest_at, head, record
from office.audit.models import AuditRow
from office.config import Configuration
from office.publisher.shelf import STATE_FILE, PublishedHead, Shelf
from runtime.key_file import read_key
from wire.signing import PublicKey


def published_head(configuration: Configuration, others: tuple[PublicKey, ...] = ()) -> PublishedHead:
    """What was published of the audit.

    Args:
        configuration: of the office.
        others: keys besides the office's own that are believed.

    Raises:
        ConfigError: the public half of the snapshot key cannot be read.
    """
    key = PublicKey(read_key(configuration.snapshot_public_file, "public half of the snapshot key"))
    shelf = Shelf(configuration.snapshots_folder, configuration.town, key, others)
    return PublishedHead(configuration.snapshot_key_file.with_name(STATE_FILE), shelf)


def verify(configuration: Configuration) -> int:
    """Read all rows, and compare with what was published. Returns 1 if something is wrong."""
    # Before the rows: what is published later may be newer than they are.
    published = published_head(configuration).read()
    rows = AuditRow.objects.order_by("sequence").iterator(chunk_size=2_000)
    finding = chain.verify((row.as_row() for row in rows), published)
    _say([f"note: {note}" for note in finding.notes])
    problems = [problem.text for problem in finding.problems]
    if triggers.missing(connection):
        problems.append("The database does not protect the audit: run 'watchlink office audit protect'.")
    _say(f"PROBLEM: {problem}" for problem in problems)
    if len(finding.problems) == chain.PROBLEMS_MAX:
        _say(["There may be more: these are the first."])
    last = (
        f"the last has number {finding.head.sequence} and digest {finding.head.digest}" if finding.rows else "none yet"
    )
    compared = (
        f"Compared with row {published.sequence}, the last one published."
        if published.sequence
        else "Nothing of it has been published yet, so a missing end would not show."
    )
    _say([f"{finding.rows} rows: {last}. {compared}"])
    _say(["The audit is NOT in order." if problems else "The audit is in order."])
    return 1 if problems else 0


def protect(configuration: Configuration) -> int:
    """Make the triggers again, and record that they were missing."""
    with transaction.atomic():
        missing = triggers.missing(connection)
        if missing:
            triggers.make(connection)
            record(None, "audit.protected", schemes=(), missing=missing)
    if not missing:
        _say(["The database protects the audit. There is nothing to do."])
        return 0
    _say(
        [
            f"The audit is protected again. Missing were: {', '.join(missing)}.",
            f"Rows may have been changed meanwhile: run 'watchlink office audit verify --config {configuration.file}'.",
        ]
    )
    return 0


def restored(configuration: Configuration, *, row: int, number: int) -> int:
    """Record that the office was restored, above all rows and numbers that others know, so that publishing goes on."""
    published = published_head(configuration)
    known = published.read()
    problem = chain.contradiction(head(), digest_at(known.sequence), known)
    if problem is None and row <= head().sequence and not number:
        _say(
            [
                "The audit contains all that was published. There is nothing to do.",
                "If the whole machine was restored, only central knows better: give --number as central names it.",
            ]
        )
        return 0
    with transaction.atomic():
        said = begin_anew(published, above_row=row, number=number)
        new = head()
        # Before the commit: a head that is known and not there is an alarm, the other way round nothing is lost.
        published.write(new)
    _say(said)
    _say(
        [
            f"The restore is recorded in the audit, up to row {new.sequence}.",
            "The publisher goes on within a minute; nothing need be restarted.",
        ]
    )
    return 0


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
