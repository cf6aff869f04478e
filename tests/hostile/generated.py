"""Requests that schemathesis generates from the OpenAPI document of a service."""

import re
import sys
from pathlib import Path

from tests.hostile.attacked import Attacked


def assert_conforms(
    attacked: Attacked, configuration: Path, *options: str, **variables: str
) -> None:
    """Send generated requests, whose responses must be as the document says, and without a 5xx."""
    result = attacked.service.run(
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={configuration}", "run"),
        str(attacked.running.client.base_url.join("/openapi.json")),
        *options,
        TOKEN=attacked.token,
        ORIGIN=str(attacked.running.client.base_url).rstrip("/"),
        **variables,
    )
    assert result.returncode == 0, result.stdout
    [generated] = re.findall(r"(\d+) generated, ", result.stdout)
    assert int(generated) > 300
    assert "Traceback" not in attacked.running.log
