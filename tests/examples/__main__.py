"""Writes the examples of the documentation anew, from what happens now."""

from pathlib import Path
from tempfile import TemporaryDirectory

from idp.migrate import upgrade
from tests.examples.pages import rewritten
from tests.examples.step_up import PAGE, make_examples

with TemporaryDirectory() as folder:
    url = f"sqlite:///{Path(folder) / 'idp.sqlite3'}"
    upgrade(url)
    PAGE.write_text(rewritten(PAGE, make_examples(url)), encoding="utf-8")
