"""Events of SQLAlchemy: which listeners are this package's own."""

from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet

from sqlalchemy import event

_own: WeakSet[Callable[..., Any]] = WeakSet()


def listen(target: Any, name: str, listener: Callable[..., Any]) -> None:
    """Add a listener whose work is also done for statements that do not pass through the engine."""
    event.listen(target, name, listener)
    _own.add(listener)


class OtherListeners:
    """The listeners to some events, each of a dispatcher, that `listen` has not added.

    `exist` is called before each read, so it searches only if a number of listeners has changed.
    """

    def __init__(self, events: Iterable[tuple[Any, str]]) -> None:
        self._events = list(events)
        self._numbers: list[int] = []
        self._exist = False

    def exist(self) -> bool:
        """Return whether there are any."""
        numbers = [len(getattr(dispatch, name)) for dispatch, name in self._events]
        if numbers != self._numbers:
            self._numbers = numbers
            self._exist = any(
                listener not in _own
                for dispatch, name in self._events
                for listener in getattr(dispatch, name)
            )
        return self._exist
