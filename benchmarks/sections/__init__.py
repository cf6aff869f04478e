"""The sections of the page: `measure` returns results, and `page` shows them."""

from types import ModuleType

from benchmarks.sections import (
    accounts,
    bursts,
    databases,
    growth,
    latency,
    layers,
    main,
    mixed,
    round_trips,
    template,
)

# In the order of the page, with their titles.
SECTIONS: dict[str, tuple[str, ModuleType]] = {
    "main": ("PostgreSQL", main),
    "accounts": ("Accounts", accounts),
    "mixed": ("Read, wait, write", mixed),
    "bursts": ("Bursts", bursts),
    "latency": ("A more distant database", latency),
    "round_trips": ("Round trips", round_trips),
    "layers": ("Layers of a read", layers),
    "databases": ("MySQL and SQLite", databases),
    "growth": ("More rows", growth),
    "template": ("The template", template),
}
