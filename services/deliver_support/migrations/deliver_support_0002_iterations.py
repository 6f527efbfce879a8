"""Which iterations of its components a deployment plan was made for."""

import sqlalchemy as sa
from alembic import op

revision = "deliver_support_0002"
down_revision = "deliver_support_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("deployment", sa.Column("iterations", sa.JSON(), nullable=False, server_default="[]"))
    op.alter_column("deployment", "iterations", server_default=None)


def downgrade() -> None:
    """Back."""
    op.drop_column("deployment", "iterations")
