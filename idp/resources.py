"""Where the folders lie that the program reads at run time and that are not Python modules."""

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent

ResourceName = Literal["templates", "migrations", "clients"]


def resource_dir(name: ResourceName) -> Path:
    """The absolute path of the folder ``name``.

    That is the checkout's own, or, in an installed wheel, the copy inside the package. Raises
    ``FileNotFoundError`` where there is neither.
    """
    for candidate in (_PACKAGE / "_bundled" / name, _CHECKOUT / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"{name}/ is neither beside {_PACKAGE} nor bundled with it")
