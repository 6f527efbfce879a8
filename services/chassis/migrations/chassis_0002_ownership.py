"""Who may write for a partition, and what the owner may not have told yet; parked rows go with their receipts."""

import sqlalchemy as sa
from alembic import op

revision = "chassis_0002"
down_revision = "chassis_0001"
branch_labels = None
depends_on = None

# raised by the write statement when another owner has taken the partition over meanwhile
REPLACED = """CREATE FUNCTION replaced() RETURNS bool LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'another owner has taken the partition over' USING ERRCODE = 'lock_not_available'; END $$"""


def upgrade() -> None:
    """Forward."""
    op.execute(REPLACED)
    op.create_table(
        "ownership",
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("untold", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("part"),
    )
    op.execute("DELETE FROM parked p USING receipt r WHERE r.event_id = p.event_id")


def downgrade() -> None:
    """Back."""
    op.drop_table("ownership")
    op.execute("DROP FUNCTION replaced")
