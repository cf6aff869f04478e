"""Migrations that extend a table of PostgreSQL while a service uses it.

`ALTER TABLE` and `CREATE INDEX` block a table while they read its rows. So the operations that
`--autogenerate` finds are divided into up to four migrations: the first only adds, the next ones
read the rows and block nothing, and the last turns unique indexes into constraints.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, DefaultClause

AUTOCOMMIT = "with op.get_context().autocommit_block():"
ON_POSTGRESQL = 'if op.get_context().dialect.name == "postgresql":'
REPEATABLE = (
    "# Each statement commits. If one fails, run this again: an unfinished index is invalid."
)

Operations = list[ops.MigrateOperation]


class Block(ops.MigrateOperation):
    """Operations below a statement that ends with a colon."""

    def __init__(self, head: str, operations: Iterable[ops.MigrateOperation]) -> None:
        self.head = head
        self.operations = list(operations)

    def to_diff_tuple(self) -> tuple[str, str]:
        return "block", self.head


@renderers.dispatch_for(Block)
def render_block(context: AutogenContext, block: Block) -> list[str]:
    lines = [line for each in block.operations for line in render_op(context, each)]
    return [block.head, *lines, ""]  # an empty line ends the indentation


class AlterTable(ops.MigrateOperation):
    """A change of a table that Alembic has no operation for."""

    def __init__(self, table: str, *parts: str) -> None:
        self.parts = [f"ALTER TABLE {table}", *(f" {part}" for part in parts)]

    def to_diff_tuple(self) -> tuple[str, str]:
        return "alter", "".join(self.parts)


@renderers.dispatch_for(AlterTable)
def render_alter(_: AutogenContext, change: AlterTable) -> list[str]:
    return ["op.execute(", *map(repr, change.parts), ")"]  # the formatter joins what fits


class Comment(ops.MigrateOperation):
    """A comment in a migration."""

    def __init__(self, text: str) -> None:
        self.text = text

    def to_diff_tuple(self) -> tuple[str, str]:
        return "comment", self.text


@renderers.dispatch_for(Comment)
def render_comment(_: AutogenContext, comment: Comment) -> str:
    return comment.text


class Online:
    """Divides the migration of a table into several."""

    def __init__(self, table: str, identifiers: Iterator[str], *, also_on_sqlite: bool) -> None:
        self.table = table
        self.identifiers = identifiers
        self.also_on_sqlite = also_on_sqlite

    def __call__(
        self, context: MigrationContext, _: Any, scripts: list[ops.MigrationScript]
    ) -> None:
        """Process the directives of `alembic revision --autogenerate`."""
        self.quote = context.dialect.identifier_preparer.quote
        [script] = scripts
        assert script.upgrade_ops is not None
        for changes in script.upgrade_ops.ops:
            if isinstance(changes, ops.ModifyTableOps) and changes.table_name == self.table:
                self.divide(changes, scripts)
        for each in scripts[1:]:
            each.rev_id = next(self.identifiers)
        script.downgrade_ops = script.upgrade_ops.reverse()

    def divide(self, changes: ops.ModifyTableOps, scripts: list[ops.MigrationScript]) -> None:
        """Leave what only adds, and append a migration for each kind of the other operations."""
        names = filter(None, [changes.schema, self.table])
        self.quoted = ".".join(map(self.quote, names))
        indexes = [op for op in changes.ops if isinstance(op, ops.CreateIndexOp)]
        uniques = [op for op in changes.ops if isinstance(op, ops.CreateUniqueConstraintOp)]
        checked = ops.CreateForeignKeyOp | ops.CreateCheckConstraintOp
        constraints = [op for op in changes.ops if isinstance(op, checked)]
        changes.ops = [op for op in changes.ops if op not in [*indexes, *uniques]]
        for constraint in constraints:
            constraint.kw["postgresql_not_valid"] = True
        for op in changes.ops:
            if isinstance(op, ops.AddColumnOp):
                without_parentheses(op.column)
        head = scripts[0].head
        if constraints:
            scripts.append(self.validation(constraints, head))
        if indexes or uniques:
            scripts.append(self.building(indexes, uniques, head))
        if uniques:
            scripts.append(self.uniqueness(uniques, head))

    def validation(
        self, constraints: Sequence[ops.AddConstraintOp], head: str | None
    ) -> ops.MigrationScript:
        """Check the existing rows: this locks no row, and no request waits for it."""
        names = [self.quote(str(each.to_constraint().name)) for each in constraints]
        upgrades: Operations = [
            AlterTable(self.quoted, f"VALIDATE CONSTRAINT {name}") for name in names
        ]
        if self.also_on_sqlite:
            upgrades = either(upgrades, [])
        return script_of(f"Validate constraints of {self.table}", upgrades, [], head)

    def building(
        self,
        indexes: Sequence[ops.CreateIndexOp],
        uniques: Sequence[ops.CreateUniqueConstraintOp],
        head: str | None,
    ) -> ops.MigrationScript:
        """Build indexes outside of a transaction: this locks no row, and can be repeated."""
        builds: Operations = [Comment(REPEATABLE)]
        drops: Operations = []
        for index in [*indexes, *(unique_index(self.table, unique) for unique in uniques)]:
            build = ops.CreateIndexOp.from_index(index.to_index())
            build.kw["postgresql_concurrently"] = True
            drop = build.reverse()
            drop.if_exists = build.if_not_exists = True
            builds += [drop, build]
            drops.insert(0, drop)
        upgrades: Operations = [Block(AUTOCOMMIT, builds)]
        downgrades: Operations = [Block(AUTOCOMMIT, drops)]
        if self.also_on_sqlite:
            upgrades = either(upgrades, indexes)
            downgrades = either(downgrades, [index.reverse() for index in reversed(indexes)])
        return script_of(f"Index {self.table}", upgrades, downgrades, head)

    def uniqueness(
        self, uniques: Sequence[ops.CreateUniqueConstraintOp], head: str | None
    ) -> ops.MigrationScript:
        """Turn unique indexes into constraints, which locks the table briefly."""
        upgrades: Operations = []
        downgrades: Operations = []
        for unique in uniques:
            name = self.quote(str(unique.constraint_name))
            added = f"ADD CONSTRAINT {name}"
            upgrades.append(AlterTable(self.quoted, added, f"UNIQUE USING INDEX {name}"))
            # With the constraint, PostgreSQL drops its index.
            downgrades += [unique.reverse(), unique_index(self.table, unique)]
        if self.also_on_sqlite:
            batch = ops.ModifyTableOps(self.table, uniques, schema=uniques[0].schema)
            upgrades = either(upgrades, [batch])
            downgrades = either(downgrades, [batch.reverse()])
        columns = [name for each in uniques for name in each.columns if name != "owner_id"]
        message = f"Make {' and '.join(columns)} of {self.table} unique"
        return script_of(message, upgrades, downgrades, head)


def without_parentheses(column: Column[Any]) -> None:
    """Simplify the default of a JSON column: only MySQL needs parentheses around it."""
    default = column.server_default
    if isinstance(default, DefaultClause) and str(default.arg) == "('{}')":
        column.server_default = DefaultClause("{}")


def unique_index(table: str, unique: ops.CreateUniqueConstraintOp) -> ops.CreateIndexOp:
    name = unique.to_constraint().name
    assert isinstance(name, str)
    return ops.CreateIndexOp(name, table, unique.columns, schema=unique.schema, unique=True)


def either(
    postgresql: Sequence[ops.MigrateOperation], sqlite: Sequence[ops.MigrateOperation]
) -> Operations:
    """Return operations of the one database or the other."""
    first = Block(ON_POSTGRESQL, postgresql)
    if not postgresql:
        return []
    return [first, Block("else:", sqlite)] if sqlite else [first]


def script_of(
    message: str, upgrades: Operations, downgrades: Operations, head: str | None
) -> ops.MigrationScript:
    return ops.MigrationScript(
        None, ops.UpgradeOps(upgrades), ops.DowngradeOps(downgrades), message=message, head=head
    )
