"""Collections that `selectinload` loads, filled by its own loader from rows of a plan."""

# ruff: noqa: SLF001

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

from sqlalchemy import inspect
from sqlalchemy.util import await_only, greenlet_spawn

from app.core.plans import Plan, Values


class Rows(NamedTuple):
    """Converted rows, as the loader of `selectinload` reads them from a result."""

    rows: list[Any]
    context: None = None

    def _raw_all_tuples(self) -> list[Any]:
        return self.rows


class Collection(NamedTuple):
    """A collection of objects, which SQLAlchemy's loader of `selectinload` fills."""

    plan: Plan
    statement: Any
    key: Any
    loader: Any
    info: Any
    chunk_size: int

    async def load(
        self, parents: Iterable[Any], read: Callable[["Collection", Values], Awaitable[Rows]]
    ) -> None:
        """Fill the collections of these objects. `read` executes the statement with its values."""
        states = [(state.key[1], state, state.dict, True) for state in map(inspect, parents)]
        session = _Session(lambda values: await_only(read(self, values)))
        await greenlet_spawn(
            *(self.loader._load_via_parent, states, self.info, self.statement),
            *(session, {}, self.chunk_size),
        )


class _Session:
    """The context and session of a loader that has no session."""

    def __init__(self, read: Callable[[Values], Rows]) -> None:
        self.session = self
        self._read = read

    def execute(self, _: object, params: Values, **__: object) -> Rows:
        return self._read(params)


class Recorder:
    """A loader of `selectinload` that records what it would load instead."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self.recorded: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def _load_via_parent(self, _: object, *arguments: Any) -> None:
        self.recorded = arguments
