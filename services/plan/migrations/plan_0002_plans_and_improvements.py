"""plans and improvements."""

import sqlalchemy as sa
from alembic import op

revision = "plan_0002"
down_revision = "plan_0001"
branch_labels = None
depends_on = None

NEW = (
    "required_agreement",
    "published_plan",
    "planning_day",
    "opportunity",
    "market",
    "initiative",
    "heard_demand",
    "demand_volume",
)


def upgrade() -> None:
    """Forward."""
    op.add_column("budget", sa.Column("improving", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("budget", sa.Column("proposals", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("catalogue_entry", sa.Column("chances", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("catalogue_entry", sa.Column("troubles", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("chain_performance", sa.Column("bottleneck", sa.Text(), nullable=False, server_default=""))
    op.add_column("chain_performance", sa.Column("bottleneck_waiting", sa.Double(), nullable=False, server_default="0"))
    op.add_column("portfolio_item", sa.Column("kind", sa.Text(), nullable=False, server_default=""))
    op.add_column("portfolio_item", sa.Column("wanted_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column("portfolio_item", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("portfolio_item", sa.Column("rank", sa.Double(), nullable=False, server_default="0"))
    op.add_column("portfolio_item", sa.Column("dimensions", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("portfolio_item", sa.Column("principles", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "demand_volume",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "heard_demand",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "initiative",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("objective", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("demands", sa.JSON(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "market",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("offers", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "opportunity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "planning_day",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.Column("in_time", sa.BigInteger(), nullable=False),
        sa.Column("put_off", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("budget_total", sa.BigInteger(), nullable=False),
        sa.Column("budget_bound", sa.BigInteger(), nullable=False),
        sa.Column("reports", sa.BigInteger(), nullable=False),
        sa.Column("unreported", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "published_plan",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("vision", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("objectives", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_review_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "required_agreement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("demand", sa.Uuid(), nullable=True),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("counterparty", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("budget", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Back."""
    for table in NEW:
        op.drop_table(table)
    for column in ("principles", "dimensions", "rank", "asked_at", "wanted_by", "kind"):
        op.drop_column("portfolio_item", column)
    for table, columns in (
        ("chain_performance", ("bottleneck_waiting", "bottleneck")),
        ("catalogue_entry", ("troubles", "chances")),
        ("budget", ("proposals", "improving")),
    ):
        for column in columns:
            op.drop_column(table, column)
