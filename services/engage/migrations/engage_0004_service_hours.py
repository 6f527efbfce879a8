"""The hours of service that agreements with consumers say."""

import sqlalchemy as sa
from alembic import op

revision = "engage_0004"
down_revision = "engage_0003"
branch_labels = None
depends_on = None

COLUMNS = (("agreement", "service_hours"), ("known_services", "agreed"))


def upgrade() -> None:
    """Forward: what is agreed counts around the clock."""
    for table, name in COLUMNS:
        op.add_column(table, sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
        op.alter_column(table, name, server_default=None)


def downgrade() -> None:
    """Back."""
    for table, name in COLUMNS:
        op.drop_column(table, name)
