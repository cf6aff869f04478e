"""`python -m app.check_database` finds out why the database cannot be used, and what to do."""

import asyncio
import sys
from collections.abc import AsyncIterator

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.database_errors import Kind, classify
from app.health import VERSIONS, Schema, applied_revisions, compare_schema, describe
from app.settings import Settings


class CheckFailed(Exception):
    """What is wrong, and how to mend it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}\n{remedy}")


async def check_database(settings: Settings) -> AsyncIterator[str]:
    """Say step by step what is in order. Raises `CheckFailed` at the first step that is not."""
    try:
        database = Database(settings)
    except ValueError as error:
        remedy = "Correct DATABASE_URL; .env.example shows its form."
        raise CheckFailed(str(error), remedy) from error
    yield f"URL: {database.engine.url.render_as_string(hide_password=True)}"
    try:
        yield f"Connection: {await describe(database)}"
        async with database.write() as session:
            schema = compare_schema(await session.run_sync(applied_revisions))
            if schema is Schema.BEHIND:
                raise CheckFailed(f"The schema is {schema}.", "Run `alembic upgrade head`.")
            yield f"Schema: {schema}"
            await _write_and_take_back(session)
            yield "Writing: wrote a row, read it, and took it back"
    except SQLAlchemyError as error:
        raise CheckFailed(str(getattr(error, "orig", error)), _remedy(error)) from error
    finally:
        await database.dispose()


async def _write_and_take_back(session: AsyncSession) -> None:
    row = {"version_num": "check_database"}
    await session.execute(VERSIONS.insert().values(row))
    statement = select(VERSIONS).filter_by(**row)
    written = (await session.execute(statement)).all()
    await session.rollback()
    left = (await session.execute(statement)).all()
    if left:
        await session.execute(VERSIONS.delete().where(VERSIONS.c.version_num == "check_database"))
        await session.commit()
    if (len(written), len(left)) != (1, 0):
        what = f"One row was written, {len(written)} read, and {len(left)} left after a rollback."
        raise CheckFailed(what, "Use tables with transactions: on MySQL, InnoDB.")


def _remedy(error: SQLAlchemyError) -> str:
    if classify(error) is Kind.UNAVAILABLE:
        return "Start the server, and compare host, port and password in DATABASE_URL with its own."
    return "Compare user, password, name and permissions in DATABASE_URL with those of the server."


async def _print_checks(settings: Settings) -> None:
    async for finding in check_database(settings):
        print(finding)


def main() -> int:
    """Print the findings; the exit status is 0 when the database can be used, 1 when not."""
    try:
        asyncio.run(_print_checks(Settings()))
    except ValidationError as error:
        for mistake in error.errors(include_input=False):
            name = "_".join(str(part) for part in mistake["loc"]).upper()
            print(f"FAILED {name}: {mistake['msg']}".replace(" :", ":"))
        print("Correct the setting in .env or the environment; .env.example describes each.")
        return 1
    except CheckFailed as failure:
        print(f"FAILED {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
