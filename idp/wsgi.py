"""The application for any WSGI server: ``idp.wsgi:app``.

Importing it reads the settings, sets up the logs and starts the upkeep: import it in the process
that serves, not in one that forks afterwards.
"""

from idp import logs
from idp.app import create_app
from idp.clock import SteadyClock
from idp.config import load_settings
from idp.worker import Upkeep

settings = load_settings()
logs.configure(settings.log_level)
app = create_app(settings, clock=SteadyClock())
Upkeep(app.extensions["idp"], app.app_context).start()
