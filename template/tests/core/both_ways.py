"""Compare the two ways of a read: by the session, and straight to the driver."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import Executable, Result, Row, inspect

from app.core.database_errors import classify
from app.core.sessions import ReadOnlySession
from app.database import Database
from tests.core.support import checked_out

Read = Callable[[ReadOnlySession], Awaitable[Any]]
Consume = Callable[[Result[Any]], Any]


def all_rows(result: Result[Any]) -> Any:
    """Return the names of the columns, and all rows."""
    return tuple(result.keys()), result.all()


async def read_both_ways(
    database: Database,
    statement: Executable,
    values: Mapping[str, Any] | None = None,
    consume: Consume = all_rows,
) -> bool:
    """Read a statement in both ways, and compare what they return or raise.

    Return whether the driver was called directly.
    """

    async def read(session: ReadOnlySession) -> Any:
        return consume(await session.execute(statement, values))

    return await compare(database, read)


async def compare(database: Database, read: Read) -> bool:
    """As `read_both_ways`, for any way to use a session."""
    by_session = await outcome(database, ReadOnlySession(database.read_primary.args[0]), read)
    before = direct_reads(database)
    # The session reads a form of a statement for the first time.
    for _ in range(3):
        directly = await outcome(database, database.read(), read)
        assert directly == by_session, f"\n{directly}\n{by_session}"
    return direct_reads(database) > before


def direct_reads(database: Database) -> int:
    """Return how many statements went straight to the driver."""
    return sum(status.direct_reads for status in database.pools.values())


async def outcome(database: Database, session: ReadOnlySession, read: Read) -> Any:
    """Return all that can be observed of a read: rows or error, and the state of the pool."""
    try:
        found = Described().value(await read(session))
    except Exception as error:
        found = described_error(error)
    return found, checked_out(database)


def described_error(error: BaseException | None) -> Any:
    """Return what can be observed of an error."""
    if error is None:
        return None
    original = getattr(error, "orig", None)
    return (
        type(error),
        str(error),
        getattr(error, "statement", None),
        repr(getattr(error, "params", None)),
        getattr(error, "connection_invalidated", None),
        getattr(error, "sqlstate", None),
        classify(error) if isinstance(error, Exception) else None,
        described_error(original or error.__cause__),
    )


def described_option(option: Any) -> Any:
    """Return what a loader option does."""
    elements = getattr(option, "context", ())
    return type(option), [(str(element.path), element.strategy) for element in elements]


def sort_key(member: Any) -> str:
    """Return what sorts the members of a set: keys of objects, and values."""
    return str(getattr(inspect(member, raiseerr=False), "key", member))


class Described:
    """Describes values so that they can be compared; the same object has the same number."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.kept: list[object] = []  # else another object could get the same ID

    def value(self, value: Any) -> Any:
        if isinstance(value, Row):
            return "row", value._fields, [self.value(each) for each in value]
        if isinstance(value, Mapping):
            return type(value).__name__, [(str(k), self.value(each)) for k, each in value.items()]
        if isinstance(value, list | tuple):
            return type(value), [self.value(each) for each in value]
        if isinstance(value, set):
            return type(value), [self.value(each) for each in sorted(value, key=sort_key)]
        state = inspect(value, raiseerr=False)
        if state is None or not getattr(state, "is_instance", False):
            return type(value), repr(value)
        if id(value) in self.numbers:
            return "object", self.numbers[id(value)]
        self.numbers[id(value)] = len(self.numbers)
        self.kept.append(value)
        loaded = {name: each for name, each in vars(value).items() if not name.startswith("_sa_")}
        return (
            type(value),
            [(name, self.value(loaded[name])) for name in sorted(loaded)],
            state.key,
            state.detached,
            state.session_id is None,
            state.modified,
            state.expired,
            sorted(state.expired_attributes),
            sorted(state.unloaded),
            dict(state.committed_state),
            {name: type(each) for name, each in state.callables.items()},
            [described_option(option) for option in state.load_options],
            repr(state.load_path),
            state.identity_token,
        )
