"""Who did what, by account: a person, or Watchlink itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows from before there were accounts: account 0; Watchlink's own are known by their role, or have none."""
    op.add_column("actions", sa.Column("actor", sa.String(16), nullable=False, server_default="person"))
    op.add_column("actions", sa.Column("account", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE actions SET actor = 'watchlink' WHERE role IN ('', 'watchlink')")
    op.execute("UPDATE actions SET actor = 'watchlink' WHERE kind = 'duty-ended' AND text = 'no sign of life'")
    op.add_column("duty", sa.Column("account", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("duty", sa.Column("schemes", sa.Text, nullable=False, server_default=""))
    op.add_column("open_acts", sa.Column("account", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("open_acts", sa.Column("schemes", sa.Text))


def downgrade() -> None:
    """Who it was by account is lost."""
    for table, columns in (("open_acts", ("schemes", "account")), ("duty", ("schemes", "account"))):
        for column in columns:
            op.drop_column(table, column)
    op.drop_column("actions", "account")
    op.drop_column("actions", "actor")
