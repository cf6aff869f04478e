"""Requests that schemathesis generates from the OpenAPI document of the service."""

from pathlib import Path

from tests.hostile.attacked import Attacked, register
from tests.hostile.generated import assert_conforms

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


def test_service_conforms_to_its_openapi_document(attacked: Attacked, everything: bool) -> None:
    budget = attacked.create("/budgets", {"name": "Fuzzing", "credits": 1000})
    prompt = attacked.create("/prompts", {"budget_id": budget["id"], "text": "Why?"})
    # Invalid requests never reach the driver, so by default they are sent to one service only.
    mode = "all" if everything or attacked.variant.driver == "aiosqlite" else "positive"
    assert_conforms(
        attacked,
        CONFIGURATION,
        f"--mode={mode}",
        f"--max-examples={30 if everything else 3}",
        BUDGET_ID=budget["id"],
        PROMPT_ID=prompt["id"],
        USER_ID=register(attacked)["id"] if attacked.variant.auth != "none" else "",
    )
