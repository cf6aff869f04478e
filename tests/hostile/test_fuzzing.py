"""Requests that schemathesis generates from the OpenAPI document of the service."""

import re
import sys
from pathlib import Path

from tests.hostile.attacked import Attacked, register

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


def test_service_conforms_to_its_openapi_document(attacked: Attacked, everything: bool) -> None:
    budget = attacked.create("/budgets", {"name": "Fuzzing", "credits": 1000})
    prompt = attacked.create("/prompts", {"budget_id": budget["id"], "text": "Why?"})
    # Invalid requests never reach the driver, so by default they are sent to one service only.
    mode = "all" if everything or attacked.variant.driver == "aiosqlite" else "positive"
    result = attacked.service.run(
        sys.executable,
        "-m",
        "schemathesis.cli",
        f"--config-file={CONFIGURATION}",
        "run",
        str(attacked.running.client.base_url.join("/openapi.json")),
        f"--mode={mode}",
        f"--max-examples={30 if everything else 3}",
        BUDGET_ID=budget["id"],
        PROMPT_ID=prompt["id"],
        USER_ID=register(attacked)["id"] if attacked.variant.auth != "none" else "",
        TOKEN=attacked.token,
        ORIGIN=str(attacked.running.client.base_url).rstrip("/"),
    )
    assert result.returncode == 0, result.stdout
    [generated] = re.findall(r"(\d+) generated, ", result.stdout)
    assert int(generated) > 300
    assert "Traceback" not in attacked.running.log
