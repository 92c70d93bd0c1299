"""Watch becomes duty in the journal and its table."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Only names change."""
    op.rename_table("watch", "duty")
    op.execute("UPDATE actions SET kind = replace(kind, 'watch-', 'duty-') WHERE kind LIKE 'watch-%'")


def downgrade() -> None:
    """Restore the old names."""
    op.execute("UPDATE actions SET kind = replace(kind, 'duty-', 'watch-') WHERE kind LIKE 'duty-%'")
    op.rename_table("duty", "watch")
