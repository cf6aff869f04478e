class Job(Base):
    """When a background job is due, for all replicas together."""

    __tablename__ = "jobs"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    due_at: Mapped[datetime]
