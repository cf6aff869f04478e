class Prompt(TimestampMixin, Base):
    __tablename__ = "prompts"
    __table_args__ = (Index(None, "budget_id"),)

    id: Mapped[PrimaryKey]
    budget_id: Mapped[UUID] = mapped_column(ForeignKey("budgets.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(String(4000))

    budget: Mapped["Budget"] = relationship(lazy="raise")
    answers: Mapped[list["Answer"]] = relationship(
        order_by="Answer.id", lazy="raise", cascade="all, delete-orphan", passive_deletes=True
    )
