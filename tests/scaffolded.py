"""Resources unlike the examples, for tests of includes/scaffold."""

from typing import Any

from harness.scaffolding import field, resource, target

PROJECT = target("project", "owner_id")
TASK = target("task", "project", "owner_id")
TAG = target("tag", "owner_id")
CATEGORY = target("category", "owner_id", plural="categories", itself=True)
STATES = ("draft", "sent", "partly-paid")
# The longest name that the tool accepts is limited by the names of indexes.
LONG = "delivery_address_of_the_customer"

RESOURCES: dict[str, dict[str, Any]] = {
    each["plural"]: each
    for each in [
        resource("tag", field("label", "str", "unique", "sort")),
        resource("testimonial", field("total", "int")),
        resource(
            "invoice",
            field("number", "str", "unique", "sort", "filter"),
            field("note", "text"),
            field("quantity", "int", "sort", "filter"),
            field("weight", "float", "sort"),
            field("amount", "money", "sort", "filter"),
            field("is_paid", "bool", "filter"),
            field("due", "date", "sort", "filter"),
            field("sent_at", "datetime", "sort", "filter"),
            field("external_id", "uuid", "filter", "index"),
            field("state", "enum", "filter", choices=STATES),
            field("details", "json"),
            field("project", "ref", "filter", target=PROJECT),
        ),
        resource(
            "draft",
            field("number", "str", "optional", "unique", "filter"),
            field("note", "text", "optional"),
            field("quantity", "int", "optional"),
            field("weight", "float", "optional"),
            field("amount", "money", "optional"),
            field("is_paid", "bool", "optional"),
            field("due", "date", "optional", "filter"),
            field("sent_at", "datetime", "optional"),
            field("external_key", "uuid", "optional"),
            field("state", "enum", "optional", "filter", choices=("only",)),
            field("details", "json", "optional"),
            field("project", "ref", "optional", "filter", target=PROJECT),
            field("tags", "refs", "optional", target=TAG),
        ),
        resource(
            "membership",
            field("project", "ref", target=PROJECT),
            field("role", "enum", "later", choices=("reader", "other")),
            field("extra", "json", "later"),
            field("text", "text", "optional", "later"),
            field("count", "int", "later"),
            field("is_open", "bool", "later"),
        ),
        resource(
            "category",
            field("parent", "ref", "optional", "filter", target=CATEGORY),
            field("task", "ref", target=TASK),
            field("first_project", "ref", "optional", target=PROJECT),
            field("tags", "refs", target=TAG),
            field("later_tasks", "refs", "optional", target=TASK),
            field("twins", "refs", target=CATEGORY),
            field("later_twins", "refs", "optional", target=CATEGORY),
            plural="categories",
        ),
        resource(
            "purchase_order",
            field("code", "uuid", "unique"),
            field("placed_on", "date", "unique", "sort"),
            field(LONG, "str", "sort"),
        ),
    ]
}
