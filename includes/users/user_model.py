class User(TimestampMixin, Base):
    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email"), Index(None, "deleted_at"))

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    # In every access token: counting up ends all of them at once.
    token_version: Mapped[int] = mapped_column(default=0)
    # Since when the account is gone for its user; `app/purge.py` deletes it later.
    deleted_at: Mapped[datetime | None]
