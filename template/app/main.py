"""The application that the server runs: `python -m app.main`, configured by the environment."""

from app.core.configuration import read_settings
from app.core.log_setup import set_up_logging
from app.core.server import freeze_gc, serve
from app.factory import create_app

settings = read_settings()
set_up_logging(settings.log_level, settings.log_format)
app = create_app(settings)
freeze_gc()

if __name__ == "__main__":
    serve(app, settings)
