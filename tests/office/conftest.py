"""The office's tests: on SQLite in memory, or on the PostgreSQL that ``WATCHLINK_OFFICE_TEST_DATABASE`` names."""

from __future__ import annotations
