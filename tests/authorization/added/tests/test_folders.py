"""WebSockets that refer to rows of another user, tested as `docs/websockets.md` shows."""

import pytest
from httpx2 import AsyncClient
from httpx2.websockets import WebSocketDisconnect, WebSocketUpgradeError
from sqlalchemy.ext.asyncio import AsyncSession

from app.invoices.models import Folder
from app.models import User


@pytest.fixture
async def folder(session: AsyncSession, user: User) -> Folder:
    folder = Folder(owner_id=user.id, name="Letters")
    session.add(folder)
    await session.commit()
    return folder


async def test_folder_of_another_user_is_not_found(
    client: AsyncClient, live_client: AsyncClient, stranger: AsyncClient, folder: Folder
) -> None:
    path = f"/api/v1/folders/{folder.id}"
    with pytest.raises(WebSocketUpgradeError) as caught:
        async with live_client.websocket(f"{path}/live", headers=stranger.headers):
            pytest.fail("accepted")
    assert caught.value.response.status_code == 404
    async with live_client.websocket(f"{path}/accepted", headers=stranger.headers) as websocket:
        await websocket.send_text("x")
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive_text()
    async with live_client.websocket(f"{path}/live", headers=client.headers) as websocket:
        assert await websocket.receive_text() == "Letters"
