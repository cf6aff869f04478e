"""Names of resources and fields, and the names that are derived from them."""

import builtins
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
    *("cursor", "limit", "self", "sort"),
}
# A field hides a type or function with the same name from the fields below it.
OF_CLASS_BODIES = {
    *("bool", "bytes", "date", "datetime", "decimal", "float", "int", "list", "set", "str"),
    *(
        "time",
        "tuple",
        "uuid",
        "literal_column",
        "mapped_column",
        "property",
        "relationship",
        "unset",
    ),
}
# Types whose fields have a class or an alias, named after the resource and the field.
WITH_CLASS = {"str", "text", "int", "float", "money", "bool", "enum", "json", "refs"}
# Classes that a resource has in any case.
OF_CLASSES = {"create", "not_found", "page_params", "read", "refers_to_itself", "update"}
# Parameters and variables of the functions that get rows to refer to.
OF_FUNCTIONS = {"data", "name", "session", "statement", "value"}
# Names that the written code uses for something else.
OF_THE_CODE = {
    *("annotated", "any", "api", "app", "async_client", "async_session", "asyncio", "auth", "base"),
    *("body", "change", "client", "column", "core", "create", "crud", "current_user", "data"),
    *("database", "date", "datetime", "decimal", "domain_error", "enum", "exception", "factory"),
    *("field", "headers", "id", "if_match", "index", "input", "key", "limit", "literal", "main"),
    *("mapped", "method", "models", "name", "not_found", "output", "owner", "page", "page_read"),
    *("params", "path", "primary_key", "primary_read_session", "purge_closed_accounts", "pytest"),
    *("query", "read_session", "reader", "request", "response", "routes", "row", "rows"),
    *("schemas", "scope", "select", "self", "sequence", "services", "session", "settings", "sort"),
    *("statement", "status", "string", "table", "test", "text", "timedelta", "unset", "update"),
    *("user", "utc_now", "uuid", "value", "version", "writer"),
    *dir(builtins),
}

IRREGULAR = {
    **{"child": "children", "foot": "feet", "man": "men", "person": "people", "woman": "women"},
    **{"half": "halves", "leaf": "leaves", "life": "lives", "shelf": "shelves", "wife": "wives"},
    **{"criterion": "criteria", "hero": "heroes", "quiz": "quizzes", "tomato": "tomatoes"},
}
UNCOUNTABLE = {
    *("advice", "aircraft", "data", "equipment", "feedback", "fish", "furniture", "hardware"),
    *("information", "knowledge", "luggage", "media", "merchandise", "metadata", "money", "music"),
    *("news", "research", "series", "sheep", "software", "species", "staff", "traffic", "weather"),
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
    if keyword.iskeyword(name) or keyword.iskeyword(class_name(name)):
        raise Refused(f"{name!r} is a keyword of Python: use another word for {what}.")


def suggestion(name: str) -> str:
    """Return the name as it can be written, or an empty string."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    words = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return words if NAME.fullmatch(words) else ""


def check_field_name(name: str, kind: str, text: str) -> None:
    check_name(name, f"the name of a field in {text!r}" if name != text else "the name of a field")
    attribute = f"{name}_id" if kind == "ref" else name
    of_the_code = OF_CLASS_BODIES | (OF_CLASSES if kind in WITH_CLASS else set())
    for reserved, why in (
        (OF_MIXINS, "every resource has it"),
        (OF_LIBRARIES, "Pydantic or SQLAlchemy uses it"),
        (of_the_code | (OF_FUNCTIONS if kind == "refs" else set()), "the code uses this name"),
    ):
        if attribute in reserved:
            raise Refused(f"A field cannot be called {name!r}, because {why}: use another word.")
    if attribute.startswith("model_"):
        raise Refused(
            f"A field cannot be called {name!r}, because Pydantic uses model_: use another word."
        )


def check_resource_name(name: str, plural: str) -> None:
    check_name(name, "the name of a resource")
    check_name(plural, "the plural")
    if name == plural:
        raise Refused(
            f"The plural of {name} must be another word: add --plural, such as"
            f" --plural {name}_records."
        )
    for word in (name, plural):
        if {word, class_name(word)} & OF_THE_CODE:
            raise Refused(
                f"A resource cannot be called {word!r}: the code uses the name for something else."
            )


def plural_of(name: str) -> str:
    """Return the plural, or the name itself if it has none; `--plural` gives another."""
    *before, word = name.split("_")
    start = "".join(f"{each}_" for each in before)
    if word in UNCOUNTABLE:
        return name
    if plural := IRREGULAR.get(word):
        return f"{start}{plural}"
    if re.search("[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    if name.endswith("sis"):
        return f"{name[:-2]}es"
    return f"{name}es" if re.search("(?:s|x|z|ch|sh)$", name) else f"{name}s"


def class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def article(words: str) -> str:
    sounds_like_a_consonant = re.match("(?:uni|use|eu|one)", words)
    return "an" if words[0] in "aeiou" and not sounds_like_a_consonant else "a"
