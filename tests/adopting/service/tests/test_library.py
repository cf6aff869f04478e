from fastapi.testclient import TestClient

from app.main import app

client = TestClient(app)


def test_book_is_lent():
    book = client.post("/books", json={"title": "Middlemarch"}).json()
    loan = client.post(f"/books/{book['id']}/loans", json={"borrower": "ada@example.org"})
    assert loan.status_code == 201
    assert client.get(f"/books/{book['id']}").json()["loans"] == [loan.json()]
