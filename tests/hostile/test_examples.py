"""Swagger UI fills in request bodies that each service accepts."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from harness.mailed_links import next_logged_token
from tests.hostile.attacked import Attacked, browser_headers, register
from tests.hostile.endpoints import describe

FORMATS = {
    "date-time": datetime.now(UTC).isoformat(),
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
}


def filled_in(schema: Any, schemas: Any) -> Any:
    """What Swagger UI fills in."""
    match schema:
        case {"examples": [example, *_]} | {"default": example} | {"const": example}:
            return example
        case {"$ref": reference}:
            return filled_in(schemas[reference.rsplit("/")[-1]], schemas)
        case {"anyOf": [first, *_]}:
            return filled_in(first, schemas)
        case {"enum": [first, *_]}:
            return first
        case {"properties": properties}:
            return {name: filled_in(each, schemas) for name, each in properties.items()}
        case {"items": items}:
            return [filled_in(items, schemas)]
        case {"format": str(format_)} if format_ in FORMATS:
            return FORMATS[format_]
        case {"minimum": float(minimum)}:
            return minimum
    assert schema["type"] == "string", schema
    assert "pattern" not in schema, f"random characters: {schema}"
    return "string"


def with_values(body: Any, values: dict[str, str]) -> Any:
    """The body with the values of fields that refer to something."""
    if isinstance(body, list):
        return [with_values(each, values) for each in body]
    if isinstance(body, dict):
        return {name: values.get(name, with_values(each, values)) for name, each in body.items()}
    return body


def rank(path: str) -> int:
    """The place of an operation: accounts first, and last what ends the login."""
    last = ["/users/me", "/email/confirm", "/me/password", "/password/forgot", "/password/reset"]
    if path.endswith(("/register", "/verify")):
        return 0
    ends = [n for n, part in enumerate(last, 3) if path.endswith(part)]
    return ends[0] if ends else 1 if "/auth/" in path else 2


def test_body_that_is_filled_in_is_accepted(attacked: Attacked) -> None:
    schemas = attacked.document["components"]["schemas"]
    operations = [
        (method, path, operation)
        for path, methods in attacked.document["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation
    ]
    operations.sort(key=lambda each: rank(each[1]))
    user = replace(attacked, headers={})
    values: dict[str, str] = {}
    if attacked.issuer:
        user.headers = attacked.headers
        values["user_id"] = register(attacked)["id"]
    for method, path, operation in operations:
        [(media_type, content)] = operation["requestBody"]["content"].items()
        argument = {"application/json": "json", "text/csv": "content"}.get(media_type, "data")
        example = filled_in(content["schema"], schemas)
        body = with_values(example, values)
        if body != example:  # it refers to something that does not exist
            response = user.request(method, path.format(**values), **{argument: example})
            assert response.status_code != 422, describe(response)
        response = user.request(method, path.format(**values), **{argument: body})
        assert str(response.status_code) == min(operation["responses"]), describe(response)
        created = response.json() if response.content else {}
        match operation["operationId"]:
            case "register" | "request_password_reset" if "id" not in created:
                values["token"] = next_logged_token(
                    attacked.running, body["email"], values.get("token")
                )
            case "register" | "verify_address":
                values["user_id"] = created["id"]
                promotion = {"role": "admin"}
                attacked.request("PATCH", f"/api/v1/users/{created['id']}", json=promotion)
            case "update_me" if attacked.variant.mail == "smtp":  # the example is no other address
                values["email"] = "other@example.org"
                user.request(method, path, json=body | {"email": values["email"]})
                values["token"] = next_logged_token(
                    attacked.running, values["email"], values.get("token")
                )
            case "log_in" if attacked.variant.auth == "session":
                user.headers = browser_headers(attacked.running.client, response)
                [login] = user.request("GET", "/api/v1/auth/sessions").json()
                values["session_id"] = login["id"]
            case "log_in" | "refresh":
                user.headers = {"Authorization": f"Bearer {created['access_token']}"}
                values["refresh_token"] = created["refresh_token"]
            case "create_budget":
                values["source_id"] = user.create("/budgets", {**body, "name": "Other"})["id"]
                values["target_id"] = created["id"]
            case "create_prompt":
                [answer] = user.create(f"/prompts/{created['id']}/answers", None)
                values["id"] = answer["id"]
        if "id" in created:
            values[f"{path.rsplit('/')[-1].removesuffix('s')}_id"] = created["id"]
    assert values.keys() >= {"project_id", "task_id", "sensor_id", "budget_id", "id"}
