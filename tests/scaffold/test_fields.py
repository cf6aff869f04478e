"""What the tool accepts on its command line, and the sentence for everything else."""

import pytest
from scaffolding.errors import Refused
from scaffolding.fields import parse_fields
from scaffolding.names import check_resource_name, plural_of
from scaffolding.resource import check_size


def test_field_is_read_with_its_type_and_modifiers() -> None:
    written = ("number:str:unique:sort", "state:enum:draft,sent-late:filter", "due:date:optional")
    number, state, due = parse_fields(written)
    assert (number.name, number.type, set(number.modifiers)) == (
        "number",
        "str",
        {"unique", "sort"},
    )
    assert (state.choices, set(state.modifiers)) == (("draft", "sent-late"), {"filter"})
    assert (due.type, set(due.modifiers)) == ("date", {"optional"})


def test_reference_is_to_the_resource_of_its_name_or_to_the_named_one() -> None:
    fields = parse_fields(
        (
            *("project:ref", "author:ref:user:optional", "categories:refs", "twins:refs:person"),
            *("contact_people:refs", "analyses:refs"),
        )
    )
    targets = [field.target for field in fields]
    assert targets == ["project", "user", "category", "person", "contact_person", "analysis"]
    keys = [field.key for field in fields]
    assert keys[:4] == ["project_id", "author_id", "category_ids", "twin_ids"]
    assert keys[4:] == ["contact_person_ids", "analysis_ids"]


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("number", "'number' has no type: write number:str"),
        ("number:", "has no type"),
        ("number:string", "'string' in 'number:string' is not a type: use one of str, text"),
        ("number:str:uniq", "'uniq' in 'number:str:uniq' is not a modifier: use optional, unique"),
        ("number:str:unique:unique", "says unique twice"),
        ("Number:str", "use a-z, 0-9 and _ between words, .* as in number"),
        ("invoiceNumber:str", "as in invoice_number"),
        ("invoice-number:str", "as in invoice_number"),
        ("größe:int", "'größe' cannot be the name of a field"),
        ("2nd:str", "start with a letter"),
        ("_hidden:str", "as in hidden"),
        ("a__b:str", "as in a_b"),
        ("class:str", "keyword of Python"),
        ("id:uuid", "every resource has it"),
        ("owner_id:uuid", "every resource has it"),
        ("version:int", "every resource has it"),
        ("metadata:json", "Pydantic or SQLAlchemy uses it"),
        ("registry:str", "Pydantic or SQLAlchemy uses it"),
        ("json:json", "Pydantic or SQLAlchemy uses it"),
        ("copy:int", "Pydantic or SQLAlchemy uses it"),
        ("schema:str", "Pydantic or SQLAlchemy uses it"),
        ("model_name:str", "Pydantic uses model_"),
        ("limit:int:filter", "uses it"),
        ("self:str", "uses it"),
        ("date:date", "the code uses this name"),
        ("property:str", "the code uses this name"),
        ("relationship:str", "the code uses this name"),
        ("unset:int", "the code uses this name"),
        ("read:int", "the code uses this name"),
        ("update:text", "the code uses this name"),
        ("name:refs:project", "the code uses this name"),
        ("data:refs:project", "the code uses this name"),
        ("create:enum:a,b", "the code uses this name"),
        ("x" * 41 + ":str", "at most 40 characters"),
        ("state:enum", "has no values: write them as in state:enum:draft"),
        ("state:enum:optional", "has no values"),
        ("state:enum:draft,,sent", "'' in"),
        ("state:enum:Draft", "'Draft' in 'state:enum:Draft' cannot be a value"),
        ("state:enum:2nd", "start with a letter"),
        ("state:enum:a b", "cannot be a value"),
        ("state:enum:" + "x" * 21, "at most 20"),
        ("state:enum:a,b,a", "has the value a twice"),
        ("state:enum:a-b,a_b", "has the value a-b twice"),
        ("note:text:unique", "type text do not support unique"),
        ("paid:bool:sort", "type bool do not support sort"),
        ("extra:json:filter", "type json do not support filter"),
        ("tags:refs:index", "type refs do not support index"),
        ("due:date:optional:sort", "cannot be sorted by a field that may be null"),
    ],
)
def test_invalid_field_is_refused_in_one_sentence(written: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        parse_fields([written])
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    "written",
    [("a:str", "a:int"), ("project:ref", "project_id:uuid"), ("tags:refs", "tag_ids:json")],
)
def test_field_that_is_given_twice_is_refused(written: tuple[str, str]) -> None:
    with pytest.raises(Refused, match="is given twice, or exists: leave it out"):
        parse_fields(written)


def test_fields_whose_types_have_one_name_are_refused() -> None:
    with pytest.raises(Refused, match="The types of line_2 and line2 would have one name"):
        parse_fields(["line_2:str", "line2:str"])


@pytest.mark.parametrize(
    ("name", "plural", "sentence"),
    [
        ("Invoice", "invoices", "as in invoice"),
        ("purchase-order", "purchase_orders", "as in purchase_order"),
        ("class", "classes", "keyword of Python"),
        ("news", plural_of("news"), "add --plural, such as --plural news_records"),
        ("sheep", "sheep", "add --plural, such as --plural sheep_records"),
        ("session", "sessions", "uses the name for something else"),
        ("datum", "data", "'data': the code uses the name"),
        ("date", "dates", "'date': the code uses the name"),
        ("filter", "filters", "'filter': the code uses the name"),
        ("warning", "warnings", "'warning': the code uses the name"),
        ("table", "tables", "'table': the code uses the name"),
        ("true", "trues", "keyword of Python"),
        ("a", "as", "'as' is a keyword of Python"),
        ("café", "cafés", "cannot be the name of a resource"),
        ("invoice", "In voices", "cannot be the plural: .* as in in_voices"),
    ],
)
def test_invalid_name_of_a_resource_is_refused(name: str, plural: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_resource_name(name, plural)


@pytest.mark.parametrize(
    ("name", "plural"),
    [
        ("invoice", "invoices"),
        ("category", "categories"),
        ("day", "days"),
        ("box", "boxes"),
        ("purchase_order", "purchase_orders"),
        ("status_change", "status_changes"),
        ("bus", "buses"),
        ("analysis", "analyses"),
        ("contact_person", "contact_people"),
        ("child", "children"),
    ],
)
def test_plural_is_known(name: str, plural: str) -> None:
    assert plural_of(name) == plural
    check_resource_name(name, plural)


def test_row_that_is_too_long_for_mysql_is_refused() -> None:
    with pytest.raises(Refused, match="MySQL allows 65535: use fewer fields of type text"):
        check_size(parse_fields([f"note_{letter}:text" for letter in "abcdefgh"]))
