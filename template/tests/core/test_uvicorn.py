"""The undocumented parts of uvicorn that this service uses: a release without one fails here."""

import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

UNDOCUMENTED: dict[Any, str] = {
    uvicorn.Server: "capture_signals force_exit server_state should_exit shutdown",
    ServerState: "default_headers tasks",
    HttpToolsProtocol: (
        "_start_asgi_task client config connection_lost connection_made connections cycle"
        " data_received expect_100_continue flow handle_websocket_upgrade headers"
        " limit_concurrency logger loop on_body on_header on_headers_complete on_message_complete"
        " on_response_complete pipeline send_400_response server_state shutdown transport url"
    ),
    RequestResponseCycle: (
        "disconnected keep_alive message_event receive response_complete response_started scope"
        " send"
    ),
    FlowControl: "pause_reading read_paused resume_reading",
    WebSocketsSansIOProtocol: "handshake_initiated",
}


def instance_of(kind: Any) -> Any:
    config = uvicorn.Config(FastAPI(), log_config=None)
    config.load()
    given = {"config": config, "server_state": ServerState(), "app_state": {}}
    instance = kind(**{name: given.get(name) for name in inspect.signature(kind).parameters})
    if kind is HttpToolsProtocol:
        instance.on_message_begin()
    return instance


@pytest.mark.parametrize("kind", UNDOCUMENTED)
async def test_uvicorn_has_what_this_service_uses(kind: Any) -> None:
    instance = instance_of(kind)
    assert [name for name in UNDOCUMENTED[kind].split() if not hasattr(instance, name)] == []


def test_uvicorn_stays_below_the_next_minor_release() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    [requirement] = [each for each in project["project"]["dependencies"] if "uvicorn" in each]
    major, minor, *_ = version("uvicorn").split(".")
    assert requirement.endswith(f",<{major}.{int(minor) + 1}")
