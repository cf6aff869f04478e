"""What is measured: each section has `measure`, and `page` which shows what that returned."""

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
    template,
    trips,
)

# In the order of the page.
SECTIONS: dict[str, tuple[str, ModuleType]] = {
    "main": ("PostgreSQL", main),
    "accounts": ("Accounts", accounts),
    "mixed": ("Reading, waiting, writing", mixed),
    "bursts": ("Bursts", bursts),
    "latency": ("A database that is further away", latency),
    "trips": ("Round trips", trips),
    "layers": ("Where the time of a read goes", layers),
    "databases": ("MySQL and SQLite", databases),
    "growth": ("More rows", growth),
    "template": ("The template", template),
}
