"""Books and who has them."""

from httpx2 import AsyncClient


async def test_book_is_lent(client: AsyncClient) -> None:
    book = (await client.post("/books", json={"title": "Middlemarch"})).json()
    loan = await client.post(f"/books/{book['id']}/loans", json={"borrower": "ada@example.org"})
    assert loan.status_code == 201
    assert (await client.get(f"/books/{book['id']}")).json() == {**book, "loans": [loan.json()]}
    assert (await client.get("/books")).json() == [book]


async def test_isbn_is_taken_once(client: AsyncClient) -> None:
    body = {"title": "Emma", "isbn": "978-0-19-953567-5"}
    assert (await client.post("/books", json=body)).status_code == 201
    response = await client.post("/books", json=body)
    assert response.status_code == 409
    assert response.json()["errors"][0]["loc"] == ["body", "isbn"]


async def test_book_that_is_not_there_is_neither_shown_nor_lent(client: AsyncClient) -> None:
    assert (await client.get("/books/1")).json()["detail"] == "No such book"
    response = await client.post("/books/1/loans", json={"borrower": "ada@example.org"})
    assert response.status_code == 404
