"""Endpoints that check the owner of their rows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, UploadFile, WebSocket
from fastapi.sse import EventSourceResponse
from pydantic import Field
from sqlalchemy import select

from app.auth import CurrentUser
from app.core.errors import DomainError, NotFound, problems
from app.core.schemas import Input, SingleLineStr
from app.core.sessions import Reader
from app.database import ReadSession, Session
from app.invoices.models import Folder, Invoice, Line
from app.models import User


class FolderCreate(Input):
    name: SingleLineStr
    colour: Annotated[str, Field(pattern="^#[0-9a-f]{6}$", examples=["#00ff00"])]
    depth: Annotated[int, Field(gt=4)]
    parent_id: int | None = None


class InvoiceCreate(Input):
    """With the names of parameters in paths, which refer to no row here."""

    year: int
    number: int


class LineUpdate(Input):
    text: SingleLineStr


class AdminRequired(DomainError):
    status = 403
    detail = "Only administrators may do this."


async def get_own_invoice(
    user: CurrentUser, session: ReadSession, year: int, number: int
) -> Invoice:
    statement = select(Invoice).where(
        Invoice.owner_id == user.id, Invoice.year == year, Invoice.number == number
    )
    invoice = await session.scalar(statement)
    if invoice is None:
        raise NotFound
    return invoice


OwnInvoice = Annotated[Invoice, Depends(get_own_invoice)]
invoices_router = APIRouter(
    prefix="/invoices", tags=["invoices"], responses=problems(401, 403, 404)
)


@invoices_router.post("", status_code=201)
async def create_invoice(user: CurrentUser, session: Session, body: InvoiceCreate) -> None:
    session.add(Invoice(owner_id=user.id, customer="Bob", **body.model_dump()))


@invoices_router.get("/{year}/{number}")
async def get_invoice(invoice: OwnInvoice) -> str:
    return invoice.customer


@invoices_router.put("/{year}/{number}/scan")
async def scan_invoice(
    invoice: OwnInvoice,
    file: UploadFile,
    name: Annotated[str, Form()],
    page: Annotated[int, Header()],
) -> int:
    return page


@invoices_router.get("/{year}/{number}/events", response_class=EventSourceResponse)
async def watch_invoice(invoice: OwnInvoice) -> AsyncIterator[str]:
    while True:
        yield invoice.customer
        await asyncio.sleep(1)


@invoices_router.patch("/{year}/{number}/lines/{id}")
async def update_line(invoice: OwnInvoice, session: Session, id: int, body: LineUpdate) -> str:
    statement = select(Line).where(
        Line.id == id, Line.year == invoice.year, Line.number == invoice.number
    )
    line = await session.scalar(statement)
    if line is None:
        raise NotFound
    line.text = body.text
    return line.text


@invoices_router.get("/{year}/{number}/audit")
async def audit_invoice(user: CurrentUser, year: int, number: int) -> str:
    raise AdminRequired


folders_router = APIRouter(prefix="/folders", tags=["folders"], responses=problems(401, 404))


@folders_router.post("", status_code=201)
async def create_folder(user: CurrentUser, session: Session, body: FolderCreate) -> int:
    if body.parent_id is not None:
        await find_folder(session, user, body.parent_id)
    folder = Folder(owner_id=user.id, name=body.name, parent_id=body.parent_id)
    session.add(folder)
    await session.flush()
    return folder.id


@folders_router.get("/{id}")
async def get_folder(user: CurrentUser, session: ReadSession, id: int) -> str:
    return (await find_folder(session, user, id)).name


@folders_router.post("/deletions", status_code=204)
async def delete_folders(user: CurrentUser, session: Session, body: list[int]) -> None:
    for id in body:
        await session.delete(await find_folder(session, user, id))


@folders_router.get("")
async def list_folders(
    user: CurrentUser, session: ReadSession, parent_id: int | None = None
) -> list[str]:
    statement = select(Folder.name).where(Folder.owner_id == user.id)
    if parent_id is not None:
        statement = statement.where(Folder.parent_id == parent_id)
    return list(await session.scalars(statement.limit(100)))


async def find_folder(session: Reader, user: User, id: int) -> Folder:
    folder = await session.scalar(select(Folder).where(Folder.owner_id == user.id, Folder.id == id))
    if folder is None:
        raise NotFound
    return folder


@folders_router.get("/countries/{country_code}")
async def count_folders(user: CurrentUser, session: ReadSession, country_code: str) -> int:
    """The number of all users' folders."""
    return len(list(await session.scalars(select(Folder.id).limit(100))))


@folders_router.websocket("/{id}/live")
async def watch_folder(
    websocket: WebSocket, user: CurrentUser, session: ReadSession, id: int
) -> None:
    folder = await find_folder(session, user, id)
    await websocket.accept()
    await websocket.send_text(folder.name)


@folders_router.websocket("/{id}/accepted")
async def accept_folder(
    websocket: WebSocket, user: CurrentUser, session: ReadSession, id: int
) -> None:
    await websocket.accept()
    await websocket.receive_text()
    folder = await find_folder(session, user, id)
    await websocket.send_text(folder.name)
