"""Desks: what they tell in their own order, what they are still to be told, what they pushed, how they are asked."""

import sqlalchemy as sa
from alembic import op

revision = "engage_0003"
down_revision = "engage_0002"
branch_labels = None
depends_on = None

TEXTS, LISTS = ("ticket_order", "ticket_done"), ("said", "untold")

# what waits for triage already is work from now on
WAITING = """INSERT INTO triage
SELECT id, 1, 'open', 'service desk', 1, captured_at, captured_at + interval '8 hours', NULL, '',
       'svc.engage.inbox.triage-reported.v1', json_build_object('demand', id)::text, title, reason
FROM demand WHERE status = 'unclassified'"""


def upgrade() -> None:
    """Forward."""
    for name in TEXTS:
        op.add_column("demand", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    for name in LISTS:
        op.add_column("demand", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    op.execute("UPDATE demand SET said = json_build_array(told) WHERE told <> ''")
    op.drop_column("demand", "told")
    op.create_table(
        "desk_round",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "desk_door",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "triage",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column("done_type", sa.Text(), nullable=False),
        sa.Column("done_data", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(WAITING)
    op.create_table(
        "raw_push",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Back."""
    for table in ("raw_push", "triage", "desk_door", "desk_round"):
        op.drop_table(table)
    op.add_column("demand", sa.Column("told", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE demand SET told = coalesce(said ->> -1, '')")
    for name in (*LISTS, *TEXTS):
        op.drop_column("demand", name)
