"""The register's builders, for the first page too."""

from __future__ import annotations

from tests.office.members.conftest import make_premises

__all__ = ["make_premises"]
