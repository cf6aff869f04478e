"""What reading a function reveals to its callers."""

from dataclasses import dataclass, field

from audit_async.inference.values import Value


@dataclass
class Outcome:
    returned: list[Value | None] = field(default_factory=list)
    yielded: list[Value | None] = field(default_factory=list)
    # Attributes of its own class that a method assigns.
    attributes: dict[str, Value | None] = field(default_factory=dict)
    blocking_calls: list[str] = field(default_factory=list)
    # The sync sessions that the function uses, other than those passed to it, by name.
    sync_sessions: dict[str, Value] = field(default_factory=dict)
