"""Work that waits for a work centre, and receipts that become mere trails once nothing can come again."""

import sqlalchemy as sa
from alembic import op

revision = "chassis_0003"
down_revision = "chassis_0002"
branch_labels = None
depends_on = None

# the oldest waiting work of each centre begins, as far as its capacity ({"centre": people}) is free; who
# begins the same at the same time finds it begun
BEGIN_WORK = """CREATE FUNCTION begin_work(moment timestamptz, capacity json) RETURNS void LANGUAGE sql AS $$
UPDATE pending SET begun = true, due = moment + pending.effort * interval '1 second'
FROM (SELECT id, centre,
             row_number() OVER (PARTITION BY centre ORDER BY due - effort * interval '1 second', id) AS place
      FROM pending WHERE NOT begun) waiting
WHERE pending.id = waiting.id AND NOT pending.begun
AND place <= coalesce((capacity ->> waiting.centre)::int, 1000000)
             - (SELECT count(*) FROM pending busy WHERE busy.centre = waiting.centre AND busy.begun) $$"""

# some thousand at a time: nothing is locked for long
EXPIRE = """CREATE FUNCTION expire(days float8) RETURNS void LANGUAGE sql AS $$
WITH old AS (DELETE FROM receipt WHERE event_id IN (
    SELECT event_id FROM receipt WHERE days > 0 AND at < now() - days * interval '1 day' LIMIT 5000) RETURNING *)
INSERT INTO trail (event_id, case_id, at, record) SELECT event_id, case_id, at, record FROM old ON CONFLICT DO NOTHING
$$"""
ALL = """CREATE VIEW all_receipts AS SELECT event_id, case_id, at, record FROM receipt
UNION ALL SELECT event_id, case_id, at, record FROM trail"""

# what this activity has shown of the value chain
CONSUMED = """CREATE VIEW consumed AS SELECT record->>'type' AS type, record->>'source' AS source, count(*) AS count
FROM all_receipts WHERE (record->>'effect')::bool GROUP BY 1, 2"""
TOLD = """CREATE VIEW told AS SELECT o->>'type' AS type, count(*) AS count
FROM all_receipts, json_array_elements(record->'outputs') o GROUP BY 1"""
PRACTISED = """CREATE VIEW practised AS SELECT p AS practice, count(*) AS count
FROM all_receipts, json_array_elements_text(record->'practices') p WHERE (record->>'effect')::bool GROUP BY 1"""
VIEWS = ("all_receipts", "consumed", "told", "practised")


def upgrade() -> None:
    """Forward."""
    op.add_column("pending", sa.Column("centre", sa.Text(), nullable=True))
    op.add_column("pending", sa.Column("effort", sa.Double(), nullable=True))
    op.add_column("pending", sa.Column("begun", sa.Boolean(), nullable=True))
    op.create_table(
        "trail",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(op.f("ix_trail_case_id"), "trail", ["case_id"], unique=False)
    op.execute("CREATE INDEX receipt_at ON receipt USING brin (at)")
    op.execute(BEGIN_WORK)
    op.execute(EXPIRE)
    for view in (ALL, CONSUMED, TOLD, PRACTISED):
        op.execute(view)


def downgrade() -> None:
    """Back."""
    for view in reversed(VIEWS):
        op.execute(f"DROP VIEW {view}")
    op.execute("DROP FUNCTION expire")
    op.execute("DROP FUNCTION begin_work")
    op.execute("DROP INDEX receipt_at")
    op.drop_index(op.f("ix_trail_case_id"), table_name="trail")
    op.drop_table("trail")
    for column in ("begun", "effort", "centre"):
        op.drop_column("pending", column)
