"""`blocking-call`: calls that block the event loop, directly or one function away."""

import ast

from audit_async.inference.functions import outcome_of_sync_call
from audit_async.inference.reader import Reader
from audit_async.inference.values import Function
from audit_async.source.syntax import arguments_text

HTTP_LIBRARIES = ("httpx", "httpx2", "requests")
HTTP_METHODS = ("delete", "get", "head", "options", "patch", "post", "put", "request")
HTTP_CLIENTS = {
    *(f"{library}.{name}" for library in ("httpx", "httpx2") for name in ("Client", "stream")),
    "requests.Session",
    "requests.session",
}
BLOCKING = {
    "os.system",
    "time.sleep",
    "urllib.request.urlopen",
    *(f"subprocess.{name}" for name in ("call", "check_call", "check_output", "run")),
    *(f"{library}.{name}" for library in HTTP_LIBRARIES for name in HTTP_METHODS),
    *HTTP_CLIENTS,
}


def check_library_call(reader: Reader, node: ast.Call, name: str) -> None:
    if name not in BLOCKING:
        return
    reader.outcome.blocking_calls.append(name)
    if reader.is_async:
        call = ast.unparse(node.func)
        reader.report(
            "blocking-call", node, f"`{call}` blocks the event loop", async_call(node, name)
        )


def async_call(node: ast.Call, name: str) -> str:
    arguments = arguments_text(node)
    library, _, method = name.rpartition(".")
    if name == "time.sleep":
        return f"await asyncio.sleep({arguments})"
    client = f"{'httpx' if library == 'httpx' else 'httpx2'}.AsyncClient()"
    if name in HTTP_CLIENTS:
        return f"async with {client} as client: await client....()"
    if library in HTTP_LIBRARIES:
        return f"async with {client} as client: await client.{method}({arguments})"
    return in_thread(node)


def check_function_call(reader: Reader, node: ast.Call, function: Function) -> None:
    """A call of a sync function of the same module that blocks."""
    if not reader.is_async or function.module is not reader.module:
        return
    found = outcome_of_sync_call(reader.base, function)
    if not found or not found.blocking_calls:
        return
    name, blocking = ast.unparse(node.func), found.blocking_calls[0]
    why = f"`{name}` calls `{blocking}`, which blocks the event loop"
    reader.report("blocking-call", node, why, in_thread(node))


def in_thread(node: ast.Call) -> str:
    parts = [ast.unparse(part) for part in [node.func, *node.args, *node.keywords]]
    return f"await asyncio.to_thread({', '.join(parts)})"
