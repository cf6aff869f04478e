"""The application that a server runs: `uvicorn app.main:app`, configured by the environment."""

import logging

from app.factory import create_app
from app.settings import Settings

settings = Settings()
logging.basicConfig(level=settings.log_level)
app = create_app(settings)
