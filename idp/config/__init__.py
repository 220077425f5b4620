"""Settings: read once, frozen, and every problem reported at once."""

from idp.config.addresses import LOOPBACK_HOSTS
from idp.config.settings import LOGIN_STYLES, Settings
from idp.config.sources import (
    CONFIG_FILE,
    ConfigurationError,
    config_path,
    keys_file,
    load_settings,
)

__all__ = [
    "CONFIG_FILE",
    "LOGIN_STYLES",
    "LOOPBACK_HOSTS",
    "ConfigurationError",
    "Settings",
    "config_path",
    "keys_file",
    "load_settings",
]
