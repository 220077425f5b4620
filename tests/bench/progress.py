"""What is being measured, where somebody looks."""

import sys


def progress(what: str) -> None:
    """Tell on standard error; nothing where that is a file."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what}")
        sys.stderr.flush()
