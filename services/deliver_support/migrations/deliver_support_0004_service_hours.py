"""The hours of service that the targets of a task count, and which of them have passed."""

import sqlalchemy as sa
from alembic import op

revision = "deliver_support_0004"
down_revision = "deliver_support_0003"
branch_labels = None
depends_on = None

COLUMNS = (
    ("resolution", "respond_hours"),
    ("resolution", "resolve_hours"),
    ("resolution", "passed"),
    ("fulfilment", "service_hours"),
)


def upgrade() -> None:
    """Forward: what is open counts around the clock, as it was promised."""
    for table, name in COLUMNS:
        op.add_column(table, sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
        op.alter_column(table, name, server_default=None)


def downgrade() -> None:
    """Back."""
    for table, name in COLUMNS:
        op.drop_column(table, name)
