class Measurement(Base):
    __tablename__ = "measurements"
    __table_args__ = (UniqueConstraint("sensor_id", "measured_at"),)

    id: Mapped[PrimaryKey]
    sensor_id: Mapped[UUID] = mapped_column(ForeignKey("sensors.id", ondelete="CASCADE"))
    measured_at: Mapped[datetime]
    value: Mapped[float]
