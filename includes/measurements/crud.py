async def create_measurements(
    session: AsyncSession, sensor: Sensor, items: Sequence[MeasurementCreate]
) -> None:
    """Add all of them with one INSERT, without an object for each."""
    rows = [{"sensor_id": sensor.id, **item.model_dump()} for item in items]
    await session.execute(insert(Measurement), rows)


async def list_measurements(
    session: AsyncSession, sensor: Sensor, params: MeasurementPageParams
) -> Page[Measurement]:
    statement = select(Measurement).where(_in_period(sensor, params))
    return await fetch_page(session, statement, Measurement, params)


async def summarize_measurements(
    session: AsyncSession, sensor: Sensor, period: MeasurementPeriod
) -> SensorStatistics:
    value = Measurement.value
    statement = select(
        func.count().label("count"),
        func.min(value).label("minimum"),
        func.max(value).label("maximum"),
        func.avg(value).label("average"),
    ).where(_in_period(sensor, period))
    row = (await session.execute(statement)).one()
    return SensorStatistics.model_validate(row, from_attributes=True)


def _in_period(sensor: Sensor, period: MeasurementPeriod) -> ColumnElement[bool]:
    conditions = [Measurement.sensor_id == sensor.id]
    if period.since is not None:
        conditions.append(Measurement.measured_at >= period.since)
    if period.until is not None:
        conditions.append(Measurement.measured_at < period.until)
    return and_(*conditions)
