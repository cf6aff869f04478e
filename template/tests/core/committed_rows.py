"""The rows of the database, before and after a test that commits."""

from typing import Any

from sqlalchemy import Connection, Table, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.engines import migration_engine
from app.core.models import Base
from app.settings import Settings
from tests.core.server import delete_rows
from tests.core.support import in_order
from tests.core.things import ThingsBase

Rows = dict[Table, list[dict[str, Any]]]


async def read_rows(connection: AsyncConnection) -> Rows:
    """Return the rows of each table, referenced tables first."""
    rows: Rows = {}
    for table in await connection.run_sync(existing_tables):
        columns = [column for column in table.columns if column.computed is None]
        result = await connection.execute(select(*columns))
        rows[table] = [dict(row) for row in result.mappings()]
    return rows


def existing_tables(connection: Connection) -> list[Table]:
    """Return the tables of the models, without views that models map."""
    inspector = inspect(connection)
    declared = [*Base.metadata.tables.values(), *ThingsBase.metadata.tables.values()]
    return [
        table
        for table in in_order(declared)
        if table.name in inspector.get_table_names(table.schema)
    ]


async def restore_rows(settings: Settings, rows: Rows) -> None:
    """Delete all rows, and insert these."""
    # Not the application's engine: a failed test may have left its pool without a connection.
    engine = migration_engine(settings)
    async with engine.connect() as connection:
        quote = connection.dialect.identifier_preparer.format_table
        await delete_rows(connection, [quote(table) for table in rows])
        for table, inserted in rows.items():
            if inserted:
                await connection.execute(insert(table), inserted)
        await connection.commit()
    await engine.dispose()
