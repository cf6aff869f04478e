"""Find what breaks, blocks or loads lazily when FastAPI code moves to async SQLAlchemy."""
