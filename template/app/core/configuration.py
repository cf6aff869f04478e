"""The settings of a process, and errors that say which variable to correct."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.core.engines import database_url
from app.core.log_setup import failure, set_up_logging
from app.settings import Settings

# The beginning of Pydantic's messages, which the name of the variable replaces.
SUBJECT = re.compile(r"^\w+ should ")


def read_settings() -> Settings:
    """Return the settings. Exits with a sentence for each one that is missing or invalid."""
    try:
        settings = Settings()
        database_url(settings)
    except ValidationError as error:
        mistakes = [_sentence(mistake) for mistake in error.errors(include_input=False)]
    except SettingsError as error:
        # Only its message names the field: a value that pydantic-settings could not decode.
        [name] = re.findall(r'"(\w+)" from', str(error)) or ["A setting"]
        mistakes = [f'{_variable(name)}: write JSON, such as ["a", "b"].']
    except UnicodeDecodeError:
        mistakes = [".env is not a text in UTF-8."]
    except OSError as error:
        mistakes = [f"{error.filename} cannot be read: {error.strerror}."]
    except ValueError as error:
        mistakes = [f"{error}."]
    else:
        return settings
    remedy = f"Correct the environment or {Path('.env').absolute()}; see .env.example."
    if os.environ.get(_variable("log_format")) == "json":  # there are no settings
        set_up_logging("INFO", "json")
    raise failure("\n".join([*mistakes, remedy]))


def _sentence(mistake: Mapping[str, Any]) -> str:
    """Return what is wrong with a setting, without its value."""
    if not mistake["loc"]:  # of a validator of all settings, which names the variable
        return f"{mistake['msg'].removeprefix('Value error, ')}."
    return explain(_variable(str(mistake["loc"][0])), mistake)


def explain(name: str, mistake: Mapping[str, Any]) -> str:
    """Return what is wrong with a value, from an entry of `ValidationError.errors()`."""
    message: str = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "missing":
        return f"{name} is not set."
    if mistake["type"] in {"too_short", "too_long"} and mistake["ctx"]["field_type"] == "Value":
        message = message.replace(" item", " character")  # Pydantic's word in a `SecretStr`
    message = message.replace(" after validation", "")
    if SUBJECT.match(message):
        return f"{name} {SUBJECT.sub('must ', message)}."
    return f"{name}: {message.rstrip('.')}."


def _variable(name: str) -> str:
    prefix = Settings.model_config.get("env_prefix", "") if name in Settings.model_fields else ""
    return f"{prefix}{name}".upper()
