"""The sections of the page: `measure` returns results, and `page` shows them."""

from types import ModuleType

from benchmarks.sections import (
    accounts,
    bursts,
    drivers,
    growth,
    instructions,
    latency,
    layers,
    main,
    mixed,
    pools,
    pythons,
    references,
    rollups,
    round_trips,
    scaling,
    servers,
    startup,
    telemetry,
    template,
)

# In the order of the page, with their titles.
SECTIONS: dict[str, tuple[str, ModuleType]] = {
    "main": ("PostgreSQL", main),
    "drivers": ("Other drivers", drivers),
    "accounts": ("Accounts", accounts),
    "telemetry": ("Telemetry", telemetry),
    "mixed": ("Read, wait, write", mixed),
    "pools": ("Pool sizes", pools),
    "bursts": ("Bursts", bursts),
    "startup": ("Start and memory", startup),
    "instructions": ("Instructions", instructions),
    "references": ("The references", references),
    "servers": ("Servers and processes", servers),
    "scaling": ("Processes, machines and PgBouncer", scaling),
    "pythons": ("Versions of Python", pythons),
    "latency": ("A more distant database", latency),
    "round_trips": ("Round trips", round_trips),
    "layers": ("Layers of a read", layers),
    "growth": ("More rows", growth),
    "rollups": ("Results that are computed in advance", rollups),
    "template": ("The template", template),
}
