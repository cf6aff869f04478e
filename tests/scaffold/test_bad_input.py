"""Command lines that cannot be carried out are refused in a sentence, and change nothing."""

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import scaffolding.service

from harness.projects import git
from harness.variants import Variant
from tests.scaffold.conftest import Owner

# What the tool knows of the service: an earlier run for this resource.
EARLIER = {
    "invoice": {
        "plural": "invoices",
        "runs": [{"fields": ["number:str"], "commit": "", "revisions": ["1"], "files": {}}],
    }
}
LONG = "x" * 39
# A command line, and a part of the sentence.
REFUSED = """
                                          | The following arguments are required: resource
--unknown                                 | The following arguments are required: resource
note a:str --unknown                      | Unrecognized arguments: --unknown
note a:str --plural                       | Argument --plural: expected one argument
note a:str --dry-run=yes                  | Argument --dry-run: ignored explicit argument 'yes'
note                                      | Name at least one field to add
note a:str --undo                         | leave the fields out
note --undo                               | This tool did not add note
'' a:str                                  | cannot be the name of a resource
Note a:str                                | as in note
purchase-order a:str                      | as in purchase_order
purchaseOrder a:str                       | as in purchase_order
note_ a:str                               | as in note
_note a:str                               | as in note
no__te a:str                              | as in no_te
1note a:str                               | cannot be the name of a resource
nöte a:str                                | cannot be the name of a resource
'no te' a:str                             | as in no_te
../note a:str                             | cannot be the name of a resource
{{note}} a:str                            | as in note
note;drop a:str                           | as in note_drop
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx a:str | is too long
class a:str                               | keyword of Python
none a:str                                | keyword of Python
session a:str                             | the code uses the name
user a:str                                | the code uses the name
date a:str                                | the code uses the name
list a:str                                | the code uses the name
data a:str                                | The plural of data must be another word
sheep a:str --plural sheep                | The plural of sheep must be another word
note a:str --plural Notes                 | as in notes
note a:str --plural 'no tes'              | as in no_tes
note a:str --plural ''                    | cannot be the plural
note a:str --plural data                  | the code uses the name
note a                                    | 'a' has no type
note a:                                   | 'a:' has no type
note :str                                 | cannot be the name of a field
note ''                                   | has no type
note a:string                             | 'string' in 'a:string' is not a type
note a:STR                                | 'STR' in 'a:STR' is not a type
note a:str:                               | '' in 'a:str:' is not a modifier
note a:str:required                       | 'required' in 'a:str:required' is not a modifier
note a:str:unique:unique                  | says unique twice
note a:str a:int                          | The field a is given twice
note a:str:optional:sort                  | cannot be sorted by a field that may be null
note a:text:unique                        | type text do not support unique
note a:json:filter                        | type json do not support filter
note a:bool:sort                          | type bool do not support sort
note a:float:unique                       | type float do not support unique
note a:enum                               | has no values
note a:enum:                              | has no values
note a:enum:optional                      | has no values
note a:enum:x,                            | '' in 'a:enum:x,' cannot be a value
note a:enum:x,x                           | has the value x twice
note a:enum:x-y,x_y                       | has the value x-y twice
note a:enum:Draft                         | 'Draft' in 'a:enum:Draft' cannot be a value
note a:enum:1st                           | cannot be a value
note a:enum:abcdefghijklmnopqrstu         | use at most 20
note Name:str                             | as in name
note first-name:str                       | as in first_name
note class:str                            | keyword of Python
note id:uuid                              | every resource has it
note created_at:datetime                  | every resource has it
note version:int                          | every resource has it
note owner:ref:project                    | every resource has it
note metadata:json                        | Pydantic or SQLAlchemy uses it
note model_name:str                       | because Pydantic uses model_
note limit:int                            | Pydantic or SQLAlchemy uses it
note date:date                            | the code uses this name
note create:str                           | the code uses this name
note data:refs:task                       | the code uses this name
note a:ref                                | write a:ref:NAME, where NAME is one of note,
note a:ref:unknown                        | for 'a:ref:unknown': name one of note, project, task.
note a:refs:unknown                       | 'unknown' for 'a:refs:unknown': name one of
note a:refs:optional                      | 'a' for 'a:refs:optional': write a:refs:NAME, where
note a:ref:Project                        | There is no resource 'Project'
note author:ref:user                      | cannot refer to users
note parent:ref:note                      | The first note has no other to refer to
note note:refs:note                       | has a function parameter note
note project:ref project_id:uuid          | is given twice
note tags:refs:task tag_ids:json          | is given twice
note title:str optional                   | 'optional' has no type
project a:str                             | has a table projects already
task a:str                                | has a table tasks already
api_key a:str                             | already
stranger a:str                            | has a fixture stranger already
me a:str --plural users                   | already
project_note a:str --plural projects      | has a table projects already
note b:text c:text d:text e:text f:text g:text h:text i:text | MySQL allows 65535
invoice number:int                        | The field number is given twice
invoice a:int --plural invoicez           | The plural of invoice is invoices already
invoice due:date                          | Existing rows have no due
invoice project:ref                       | Existing rows have no project
invoice code:int:unique                   | would all have the same code
invoice title:str                         | Existing rows have no title
"""
# What only the new models show.
REFUSED_LATE = f"{LONG} --plural {LONG}s {'y' * 39}:int:index | of more than 63 characters"


@pytest.mark.nightly
def test_bad_input_is_refused_in_one_sentence_and_changes_nothing(
    owner_of: Callable[[Variant], Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = owner_of(Variant("aiosqlite", "layered", "jwt", api_keys=True))
    (owner.folder / ".scaffold.json").write_text(json.dumps(EARLIER))
    owner.commit()
    describe_once(monkeypatch)
    wrong = []
    lines = [*REFUSED.strip("\n").splitlines(), REFUSED_LATE]
    for line in lines:
        command, _, part = line.rpartition(" | ")
        status, output = owner.scaffold(*shlex.split(command))
        is_sentence = output.count("\n") == 1 and output.endswith(".\n")
        if status != 1 or not is_sentence or part.strip() not in output:
            wrong.append(f"{command.strip()} | {output}")
        if owner.status():
            wrong.append(f"{command.strip()} | {owner.status()}")
            git(owner.folder, "checkout", "--quiet", ".")
            git(owner.folder, "clean", "--quiet", "-fd")
    assert not wrong, "\n".join(wrong)


def describe_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the service says of itself: no command changes it."""
    ask = scaffolding.service.Service.ask
    kept: dict[str, Mapping[str, Any]] = {}

    def ask_once(
        self: scaffolding.service.Service, python: Path, question: str, *values: str
    ) -> Mapping[str, Any]:
        if question != "describe":
            return ask(self, python, question, *values)
        if not kept:
            kept[question] = ask(self, python, question, *values)
        return kept[question]

    monkeypatch.setattr(scaffolding.service.Service, "ask", ask_once)
