"""Alembic's environment: runs on the connection it is given."""

from alembic import context

from svc.migrations import UNDECLARED

attributes = context.config.attributes


def belongs(thing: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
    """Whether a table is the business of the migration that is being written: an activity's, or the chassis's."""
    owner = attributes.get("owner")
    chassis = {table.name for table in attributes["metadata"][0].sorted_tables} if owner else set()
    return kind != "table" or (name not in UNDECLARED and (name in chassis) == (owner == "chassis"))


context.configure(
    connection=attributes["connection"],
    target_metadata=attributes.get("metadata"),
    include_object=belongs if attributes.get("owner") else None,
    compare_type=True,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
