"""The ``idp`` command: a noun a module, a verb a function, and no rule that is not a service's."""

from idp.cli.main import main

__all__ = ["main"]
