"""The values of local names at one point of a function."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit_async.inference.values import Value, join


@dataclass
class Scope:
    names: dict[str, Value | None] = field(default_factory=dict)
    # Names of instances that a commit expired.
    expired: set[str] = field(default_factory=set)

    def copy(self) -> "Scope":
        return Scope(dict(self.names), set(self.expired))


def join_scopes(scopes: Sequence[Scope]) -> Scope:
    names = dict(scopes[0].names)
    for scope in scopes[1:]:
        for name, value in scope.names.items():
            names[name] = join(names[name], value) if name in names else value
    return Scope(names, set().union(*(scope.expired for scope in scopes)))
