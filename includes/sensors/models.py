class Sensor(TimestampMixin, Base):
    __tablename__ = "sensors"
    __table_args__ = (UniqueConstraint("station_id", "name"),)

    id: Mapped[PrimaryKey]
    station_id: Mapped[UUID] = mapped_column(ForeignKey("stations.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(20))

    # One row: loaded where a query asks, by `joinedload` or `contains_eager`.
    station: Mapped["Station"] = relationship(back_populates="sensors", lazy="raise")
    # A collection without bounds: never loaded whole, only selected from.
    measurements: WriteOnlyMapped["Measurement"] = relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )
