"""The tables of the port's file (:mod:`office.nodes.store`)."""

from __future__ import annotations

from typing import Final

SCRIPTS: Final = (
    """
CREATE TABLE contacts (node INTEGER PRIMARY KEY, at_s INTEGER NOT NULL) STRICT;
CREATE TABLE receipts (
    node INTEGER NOT NULL,
    scheme INTEGER NOT NULL,
    number INTEGER NOT NULL,
    is_complete INTEGER NOT NULL,
    since_s INTEGER NOT NULL,
    PRIMARY KEY (node, scheme)
) STRICT, WITHOUT ROWID;
CREATE TABLE rows_made (
    node INTEGER NOT NULL,
    scheme INTEGER NOT NULL,
    holder TEXT NOT NULL,
    PRIMARY KEY (node, scheme)
) STRICT, WITHOUT ROWID;
CREATE TABLE chains (node INTEGER PRIMARY KEY, n INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
CREATE TABLE views (
    node INTEGER NOT NULL,
    n INTEGER NOT NULL,
    digest TEXT NOT NULL,
    record BLOB,
    received_s INTEGER NOT NULL,
    PRIMARY KEY (node, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX views_received ON views (received_s) WHERE record IS NOT NULL;
CREATE TABLE alarms (
    node INTEGER NOT NULL,
    kind TEXT NOT NULL,
    n INTEGER NOT NULL,
    at_s INTEGER NOT NULL,
    PRIMARY KEY (node, kind, n)
) STRICT, WITHOUT ROWID;
""",
    # Nodes as the port's directory has them: the pages may not read the delegate's. And by what views are searched.
    """
CREATE TABLE stations (
    node INTEGER PRIMARY KEY,
    premises INTEGER NOT NULL,
    name TEXT NOT NULL,
    place TEXT NOT NULL,
    schemes TEXT NOT NULL,
    has_key INTEGER NOT NULL,
    is_struck INTEGER NOT NULL
) STRICT;
CREATE TABLE shown (
    node INTEGER NOT NULL,
    n INTEGER NOT NULL,
    at_s INTEGER NOT NULL,
    is_proven INTEGER NOT NULL,
    received_s INTEGER NOT NULL,
    staff INTEGER NOT NULL,
    scheme INTEGER NOT NULL,
    case_number INTEGER NOT NULL,
    PRIMARY KEY (node, n)
) STRICT, WITHOUT ROWID;
INSERT INTO shown SELECT
    node,
    n,
    json_extract(CAST(record AS TEXT), '$.at_s'),
    COALESCE(json_extract(CAST(record AS TEXT), '$.is_proven'), 0),
    received_s,
    COALESCE(json_extract(CAST(record AS TEXT), '$.staff'), 0),
    COALESCE(json_extract(CAST(record AS TEXT), '$.scheme'), 0),
    COALESCE(json_extract(CAST(record AS TEXT), '$.case'), 0)
FROM views WHERE record IS NOT NULL;
CREATE INDEX shown_at ON shown (at_s, scheme, is_proven, received_s);
CREATE INDEX shown_node ON shown (node, at_s);
CREATE INDEX shown_case ON shown (scheme, case_number, at_s);
CREATE INDEX shown_staff ON shown (staff, at_s);
CREATE INDEX shown_received ON shown (received_s);
""",
    # Breaches and sightings; what they say is forgotten once the office has them, and their ids stay.
    """
CREATE TABLE reports (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    report TEXT NOT NULL UNIQUE,
    node INTEGER NOT NULL,
    premises INTEGER NOT NULL,
    record BLOB,
    received_s INTEGER NOT NULL
) STRICT;
CREATE INDEX reports_waiting ON reports (n) WHERE record IS NOT NULL;
""",
    # The port's sign of life, for the pages.
    """
CREATE TABLE port (one INTEGER PRIMARY KEY CHECK (one = 1), at_s INTEGER NOT NULL, alarm TEXT NOT NULL) STRICT;
""",
    # A broken card's log begins anew; its records are kept with numbers after those of the log before.
    """
CREATE TABLE chain_starts (
    node INTEGER NOT NULL,
    after INTEGER NOT NULL,
    at_s INTEGER NOT NULL,
    PRIMARY KEY (node, after)
) STRICT, WITHOUT ROWID;
""",
    # Where a unit stood, by records: those after this number. Of older ones only where it stands now is known.
    """
CREATE TABLE stays (
    stay INTEGER PRIMARY KEY,
    node INTEGER NOT NULL,
    after INTEGER NOT NULL,
    began_s INTEGER NOT NULL,
    premises INTEGER NOT NULL,
    name TEXT NOT NULL,
    schemes TEXT NOT NULL
) STRICT;
INSERT INTO stays (node, after, began_s, premises, name, schemes)
    SELECT node, 0, 0, premises, name, schemes FROM stations;
ALTER TABLE shown ADD COLUMN stay INTEGER NOT NULL DEFAULT 0;
UPDATE shown SET stay = COALESCE((SELECT stays.stay FROM stays WHERE stays.node = shown.node), 0);
DROP INDEX shown_at;
DROP INDEX shown_node;
CREATE INDEX shown_at ON shown (at_s, scheme, stay, is_proven, received_s);
CREATE INDEX shown_stay ON shown (stay, at_s);
CREATE INDEX stays_node ON stays (node, after);
""",
)
"""One for each version of the file. They only add."""
