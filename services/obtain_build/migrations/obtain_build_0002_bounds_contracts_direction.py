"""What bounds an order, the contracts with suppliers, and what plans and initiatives direct."""

import sqlalchemy as sa
from alembic import op

revision = "obtain_build_0002"
down_revision = "obtain_build_0001"
branch_labels = None
depends_on = None

NOTHING_ALTERED = '{"more_budget": 0, "wanted_by": null, "heard": []}'


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "direction",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("targets", sa.JSON(), nullable=False),
        sa.Column("initiatives", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "supplier",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.Column("contracts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "supplier_agreement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("component", sa.Column("waiting", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("order", sa.Column("unmet", sa.JSON(), nullable=True))
    op.add_column("order", sa.Column("waits_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("order", sa.Column("need", sa.JSON(), nullable=True))
    op.add_column("order", sa.Column("sponsorship", sa.JSON(), nullable=True))
    op.add_column("order", sa.Column("alterations", sa.JSON(), nullable=False, server_default=NOTHING_ALTERED))
    op.add_column("order", sa.Column("request", sa.JSON(), nullable=True))
    op.add_column("order", sa.Column("reasons", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Back."""
    for column in ("reasons", "request", "alterations", "sponsorship", "need", "waits_until", "unmet"):
        op.drop_column("order", column)
    op.drop_column("component", "waiting")
    op.drop_table("supplier_agreement")
    op.drop_table("supplier")
    op.drop_table("direction")
