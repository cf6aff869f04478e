"""FastAPI's own client, in the tests of a service, where a warning is an error."""

from fastapi.testclient import TestClient

from app.factory import create_app
from app.settings import Settings


def test_client_of_fastapi_calls_the_service(settings: Settings) -> None:
    with TestClient(create_app(settings), base_url="http://test") as client:
        assert client.get("/health/live").json() == {"status": "ok"}
