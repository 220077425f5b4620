"""The application for any WSGI server: ``idp.wsgi:app``.

Importing it reads the settings, sets up the logs and starts the upkeep: import it in the process
that serves, not in one that forks afterwards.
"""

from idp.app import serving_app
from idp.config import load_settings

app = serving_app(load_settings())
