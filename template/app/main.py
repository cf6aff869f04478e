"""The application that a server runs: `python -m app.main`, configured by the environment."""

from app.factory import create_app
from app.logs import set_up_logging
from app.server import serve, spare_garbage_collector
from app.settings import Settings

settings = Settings()
set_up_logging(settings.log_level)
app = create_app(settings)
spare_garbage_collector()

if __name__ == "__main__":
    serve(app, settings)
