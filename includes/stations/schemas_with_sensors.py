class StationReadWithSensors(StationRead):
    sensors: list[SensorRead]
