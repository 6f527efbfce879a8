"""improvement and early life."""

import sqlalchemy as sa
from alembic import op

revision = "design_transition_0002"
down_revision = "design_transition_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("chain_health", sa.Column("targets", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("chain_health", sa.Column("initiatives", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("design", sa.Column("request", sa.JSON(), nullable=True))
    op.add_column("design", sa.Column("risk", sa.Text(), nullable=False, server_default="low"))
    op.add_column("design", sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("design", sa.Column("review", sa.Text(), nullable=False, server_default="none"))
    op.add_column("service_record", sa.Column("factors", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("service_record", sa.Column("replaces", sa.Text(), nullable=False, server_default=""))
    op.add_column("service_record", sa.Column("demand", sa.Uuid(), nullable=True))
    op.add_column("service_record", sa.Column("change", sa.Text(), nullable=False, server_default=""))
    op.add_column("service_record", sa.Column("requirements", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("service_record", sa.Column("early_support_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("service_record", sa.Column("incidents", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("service_record", sa.Column("review", sa.Text(), nullable=False, server_default="none"))
    op.add_column("service_record", sa.Column("notice", sa.JSON(), nullable=True))
    op.add_column("service_record", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "asked_agreement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("requirements", sa.JSON(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("asked_agreement")
    op.drop_column("service_record", "retired_at")
    op.drop_column("service_record", "notice")
    op.drop_column("service_record", "review")
    op.drop_column("service_record", "incidents")
    op.drop_column("service_record", "early_support_until")
    op.drop_column("service_record", "requirements")
    op.drop_column("service_record", "change")
    op.drop_column("service_record", "demand")
    op.drop_column("service_record", "replaces")
    op.drop_column("service_record", "factors")
    op.drop_column("design", "review")
    op.drop_column("design", "reviewed_at")
    op.drop_column("design", "risk")
    op.drop_column("design", "request")
    op.drop_column("chain_health", "initiatives")
    op.drop_column("chain_health", "targets")
