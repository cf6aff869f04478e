"""Archive."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    keeper = sa.ForeignKeyConstraint(["keeper_id"], ["keepers.number"], name="fk_rooms_keeper")
    # SQLite cannot add a constraint, but accepts one that refers to a table which is created later.
    sqlite = op.get_context().dialect.name == "sqlite"
    languages = op.create_table(
        "languages",
        sa.Column("code", sa.String(2), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        comment="ISO 639-1",
    )
    op.create_table(
        "rooms",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("inside", sa.Integer(), sa.ForeignKey("rooms.number", ondelete="RESTRICT")),
        sa.Column("keeper_id", sa.Integer()),
        *([keeper] if sqlite else []),
    )
    op.create_table(
        "keepers",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("room_number", sa.Integer(), sa.ForeignKey("rooms.number")),
        sa.Column("language", sa.String(2), sa.ForeignKey("languages.code"), nullable=False),
    )
    if not sqlite:
        op.create_foreign_key("fk_rooms_keeper", "rooms", "keepers", ["keeper_id"], ["number"])
    rows = [{"code": "de", "name": "German"}, {"code": "en", "name": "English"}]
    op.bulk_insert(languages, rows)


def downgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        op.drop_constraint("fk_rooms_keeper", "rooms", type_="foreignkey")
    for table in ("keepers", "rooms", "languages"):
        op.drop_table(table)
