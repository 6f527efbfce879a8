"""What desks tell of a ticket in their own order, and what it has still to be told."""

import sqlalchemy as sa
from alembic import op

revision = "engage_0003"
down_revision = "engage_0002"
branch_labels = None
depends_on = None

TEXTS, LISTS = ("ticket_order", "ticket_done"), ("said", "untold")


def upgrade() -> None:
    """Forward."""
    for name in TEXTS:
        op.add_column("demand", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    for name in LISTS:
        op.add_column("demand", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    op.execute("UPDATE demand SET said = json_build_array(told) WHERE told <> ''")
    op.drop_column("demand", "told")


def downgrade() -> None:
    """Back."""
    op.add_column("demand", sa.Column("told", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE demand SET told = coalesce(said ->> -1, '')")
    for name in (*LISTS, *TEXTS):
        op.drop_column("demand", name)
