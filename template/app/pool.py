"""A connection pool that counts those who wait, and what it looks like from outside."""

import logging
from time import monotonic
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection

# SQLAlchemy names a pool's logger after its class: quiet, as the loggers of its own pools are.
logging.getLogger(f"{__name__}.MeasuredPool").setLevel(logging.WARNING)


class PoolStatus(BaseModel):
    size: int = Field(description="Connections that the pool may open.")
    checked_out: int = Field(description="Connections in use now.")
    overflow: int = Field(description="Connections open beyond the size: none, by our settings.")
    waiting: int = Field(description="Requests that wait for a connection now.")
    waits: int = Field(description="Requests that had to wait since the start.")
    waited_seconds: float = Field(description="For how long, all together.")


class MeasuredPool(AsyncAdaptedQueuePool):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting = 0
        self.waits = 0
        self.waited_seconds = 0.0

    def connect(self) -> PoolProxiedConnection:
        if self.checkedout() + self.waiting < self.size():
            return super().connect()
        self.waits += 1
        self.waiting += 1
        began = monotonic()
        try:
            return super().connect()
        finally:
            self.waiting -= 1
            self.waited_seconds += monotonic() - began


def pool_status(engine: AsyncEngine) -> PoolStatus:
    pool = engine.pool
    assert isinstance(pool, MeasuredPool)
    return PoolStatus(
        size=pool.size(),
        checked_out=pool.checkedout(),
        overflow=max(0, pool.overflow()),
        waiting=pool.waiting,
        waits=pool.waits,
        waited_seconds=round(pool.waited_seconds, 3),
    )
