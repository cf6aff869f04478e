class Answer(Base):
    __tablename__ = "answers"
    __table_args__ = (
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        Index(None, "prompt_id"),
    )

    id: Mapped[PrimaryKey]
    prompt_id: Mapped[UUID] = mapped_column(ForeignKey("prompts.id", ondelete="CASCADE"))
    model: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(String(10_000))
    rating: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
