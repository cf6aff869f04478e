class Task(TimestampMixin, VersionMixin, Base):
    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("priority BETWEEN 1 AND 5", name="priority"),
        Index(None, "project_id", "created_at", "id"),
        Index(None, "project_id", "priority", "id"),
    )

    id: Mapped[PrimaryKey]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[TaskStatus]
    priority: Mapped[int]
    due_at: Mapped[datetime | None]

    project: Mapped["Project"] = relationship(back_populates="tasks", lazy="raise")
