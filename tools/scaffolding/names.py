"""Names of resources and fields, and the names that are derived from them."""

import keyword
import re

from scaffolding.errors import Refused

MAX_LENGTH = 40
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
# Columns and attributes that every resource has, or that a relationship gets.
OF_MIXINS = {"id", "version", "created_at", "updated_at", "owner", "owner_id"}
# Attributes of classes of Pydantic and SQLAlchemy, and of `PageParams`.
OF_LIBRARIES = {
    *("construct", "copy", "dict", "from_orm", "json", "metadata", "parse_file", "parse_obj"),
    *("parse_raw", "query", "registry", "schema", "schema_json", "update_forward_refs", "validate"),
    *("cursor", "limit", "sort"),
}
# In a class, a field with the name of a type hides the type from the fields after it.
OF_TYPES = {
    *("bool", "bytes", "date", "datetime", "decimal", "float", "int", "list", "set", "str"),
    *("time", "tuple", "uuid"),
}
# Names that the written code uses for something else.
OF_THE_CODE = {
    *(
        "annotated",
        "any",
        "api",
        "app",
        "asyncio",
        "auth",
        "base",
        "body",
        "client",
        "core",
        "crud",
    ),
    *("data", "database", "enum", "exception", "factory", "field", "headers", "id", "if_match"),
    *("index", "input", "int", "key", "limit", "list", "literal", "main", "mapped", "method"),
    *("models", "name", "not_found", "output", "owner", "page", "params", "path", "primary_key"),
    *("pytest", "query", "reader", "request", "response", "routes", "row", "rows", "schemas"),
    *("scope", "select", "self", "services", "session", "settings", "sort", "statement", "status"),
    *("str", "string", "test", "text", "type", "unset", "user", "value", "version", "writer"),
}


def check_name(name: str, what: str) -> None:
    if not NAME.fullmatch(name):
        hint = suggestion(name)
        raise Refused(
            f"{name!r} cannot be {what}: use a-z, 0-9 and _ between words, and start with a letter"
            f"{f', as in {hint}' if hint else ''}."
        )
    if len(name) > MAX_LENGTH:
        raise Refused(f"{name!r} is too long for {what}: use at most {MAX_LENGTH} characters.")
    if keyword.iskeyword(name):
        raise Refused(f"{name!r} is a keyword of Python: use another word for {what}.")


def suggestion(name: str) -> str:
    """Return the name as it can be written, or an empty string."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    words = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return words if NAME.fullmatch(words) else ""


def check_field_name(name: str, text: str) -> None:
    check_name(name, f"the name of a field in {text!r}" if name != text else "the name of a field")
    for reserved, why in (
        (OF_MIXINS, "every resource has it"),
        (OF_LIBRARIES, "Pydantic or SQLAlchemy uses it"),
        (OF_TYPES, "it is the name of a type"),
    ):
        if name in reserved:
            raise Refused(f"A field cannot be called {name!r}, because {why}: use another word.")
    if name.startswith("model_"):
        raise Refused(
            f"A field cannot be called {name!r}, because Pydantic uses model_: use another word."
        )


def check_resource_name(name: str, plural: str) -> None:
    check_name(name, "the name of a resource")
    check_name(plural, "the plural")
    if name == plural:
        raise Refused(
            f"The plural of {name} must be another word, because both name something: add --plural"
            f" with it, such as --plural {name}_records."
        )
    for word in (name, plural):
        if word in OF_THE_CODE:
            raise Refused(
                f"A resource cannot be called {word!r}: the code uses the name for something else."
            )


def plural_of(name: str) -> str:
    """Return the regular plural; `--plural` gives another."""
    if re.search("[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}es" if re.search("(?:s|x|z|ch|sh)$", name) else f"{name}s"


def class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def article(words: str) -> str:
    sounds_like_a_consonant = re.match("(?:uni|use|eu|one)", words)
    return "an" if words[0] in "aeiou" and not sounds_like_a_consonant else "a"
