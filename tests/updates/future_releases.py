"""Small changes of a future release, as edits of the template."""

from harness.projects import Template

MIGRATION = '''"""How long a task will take."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("tasks") as table:
        table.add_column(sa.Column("estimate", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("tasks") as table:
        table.drop_column("estimate")
'''


def add_column_with_migration(template: Template) -> None:
    template.replace(
        "includes/features/projects/tasks/models.py.jinja",
        "    priority: Mapped[int]\n",
        "    priority: Mapped[int]\n    estimate: Mapped[int | None]\n",
    )
    versions = template.folder / "template/migrations/versions"
    (versions / "0002_estimates.py").write_text(MIGRATION)


def add_setting(template: Template) -> None:
    template.replace(
        "template/app/settings.py.jinja",
        "    slow_query_seconds: float = Field(0.5, ge=0, le=3600)\n",
        "    slow_query_seconds: float = Field(0.5, ge=0, le=3600)\n"
        "    maintenance: bool = False\n",
    )
    template.replace(
        "template/.env.example.jinja",
        "# Your own settings go below",
        "# Whether callers are asked to wait.\nMAINTENANCE=false\n\n# Your own settings go below",
    )


def change_readme(template: Template) -> None:
    template.replace(
        "template/README.md.jinja",
        "The tests fail while models and migrations disagree.",
        "The tests fail while models and migrations disagree, and say where.",
    )
