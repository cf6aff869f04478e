"""Find out why the database cannot be used, and how to fix it: `python -m app.core.check_database`."""

import asyncio
import sys
from collections.abc import AsyncIterator

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database_errors import ErrorKind, classify
from app.core.health import VERSIONS, Schema, applied_revisions, compare_schema, describe
from app.database import Database
from app.settings import Settings


class CheckFailed(Exception):
    """What is wrong, and how to fix it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}\n{remedy}")


async def check_database(settings: Settings) -> AsyncIterator[str]:
    """Yield a line for each check that passes. Raises `CheckFailed` at the first that fails."""
    try:
        database = Database(settings)
    except ValueError as error:
        remedy = "Correct DATABASE_URL; see .env.example for its form."
        raise CheckFailed(str(error), remedy) from error
    yield f"URL: {database.engine.url.render_as_string(hide_password=True)}"
    try:
        yield f"Connection: {await describe(database)}"
        schema = compare_schema(await applied_revisions(database))
        if schema is Schema.BEHIND:
            raise CheckFailed(f"The schema is {schema}.", "Run `alembic upgrade head`.")
        yield f"Schema: {schema}"
        async with database.write() as session:
            await _write_and_roll_back(session)
        yield "Writing: wrote a row, read it and rolled it back"
    except SQLAlchemyError as error:
        raise CheckFailed(str(getattr(error, "orig", error)), _remedy(error)) from error
    finally:
        await database.dispose()


async def _write_and_roll_back(session: AsyncSession) -> None:
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
        raise CheckFailed(what, "Use a database with transactions.")


def _remedy(error: SQLAlchemyError) -> str:
    if classify(error) is ErrorKind.UNAVAILABLE:
        return "Start the server, and compare its host, port and password with DATABASE_URL."
    return "Compare user, password, database name and permissions with DATABASE_URL."


async def _print_checks(settings: Settings) -> None:
    async for line in check_database(settings):
        print(line)


def main() -> int:
    """Print the checks. The exit status is 0 if the database can be used, 1 if not."""
    try:
        asyncio.run(_print_checks(Settings()))
    except ValidationError as error:
        for mistake in error.errors(include_input=False):
            name = "_".join(str(part) for part in mistake["loc"]).upper()
            print(f"FAILED {name}: {mistake['msg']}".replace(" :", ":"))
        print("Correct the setting in .env or in the environment; see .env.example.")
        return 1
    except CheckFailed as failure:
        print(f"FAILED {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
