"""The word is duty, in the journal and its table too."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing but names changes."""
    op.rename_table("watch", "duty")
    op.execute("UPDATE actions SET kind = replace(kind, 'watch-', 'duty-') WHERE kind LIKE 'watch-%'")


def downgrade() -> None:
    """The old names again."""
    op.execute("UPDATE actions SET kind = replace(kind, 'duty-', 'watch-') WHERE kind LIKE 'duty-%'")
    op.rename_table("duty", "watch")
