"""Clients as modules."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

CLIENTS = Path(__file__).resolve().parents[2] / "clients"


def load(client: str) -> ModuleType:
    """``app.py`` of a client as ``python app.py`` would see it, with its neighbours importable."""
    folder = CLIENTS / client
    own = [path.stem for path in folder.glob("*.py")]
    hidden = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("app")
    finally:
        sys.path.remove(str(folder))
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(hidden)
