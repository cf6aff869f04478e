"""Events of SQLAlchemy: which listeners are this package's own."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.event import registry

# Names of events, each with its dispatcher.
Events: TypeAlias = Iterable[tuple[Any, str]]

_own: WeakSet[Callable[..., Any]] = WeakSet()


def listen(target: Any, name: str, listener: Callable[..., Any]) -> None:
    """Add a listener whose work is also done for statements that do not pass through the engine."""
    event.listen(target, name, listener)
    _own.add(listener)


class OtherListeners:
    """The listeners to some events that `listen` has not added.

    `exist` is called before each read, so it searches only after a listener was added or removed.
    """

    def __init__(self, events: Events) -> None:
        self.events = list(events)
        self._registered: Any = None
        self._exist = False

    def exist(self) -> bool:
        """Return whether there are any."""
        # Undocumented: the keys of all listeners, in the order in which they were added.
        keys = registry._key_to_collection  # noqa: SLF001
        registered = len(keys), next(reversed(keys), None)
        if registered != self._registered:
            self._registered = registered
            self._exist = any(
                listener not in _own
                for dispatch, name in self.events
                for listener in getattr(dispatch, name)
            )
        return self._exist
