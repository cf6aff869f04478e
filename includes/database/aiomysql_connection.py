class _Connection(aiomysql.Connection):  # type: ignore[misc]
    """Gives up on a server that vanished, for which aiomysql itself would wait for ever."""

    read_timeout: float | None

    async def _read_query_result(self, unbuffered: bool = False) -> None:
        await _in_time(self.read_timeout, 2013, super()._read_query_result(unbuffered))

    async def _read_ok_packet(self) -> Any:
        return await _in_time(self.read_timeout, 2013, super()._read_ok_packet())


async def _connect(*args: Any, read_timeout: float | None, **kwargs: Any) -> _Connection:
    connection = _Connection(*args, **kwargs)
    connection.read_timeout = read_timeout
    handshake = connection._connect()  # noqa: SLF001
    await _in_time(connection.connect_timeout, 2003, handshake)
    return connection


async def _in_time(seconds: float | None, code: int, answer: Awaitable[Any]) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await answer  # aiomysql closes a connection whose wait is cancelled
    except TimeoutError as error:
        raise aiomysql.OperationalError(code, "The server did not answer in time.") from error
