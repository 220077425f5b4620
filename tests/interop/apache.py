"""Apache with mod_auth_openidc: an instance of its own, with nothing of the system's settings."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.helpers.plain import PLAIN
from tests.helpers.ports import wait_until

_MODULES = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "proxy",
    "proxy_http",
    "auth_openidc",
)


def _binary() -> str:
    """Apache's path. Raises ``RuntimeError`` where it or the module is missing."""
    path = shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None or not (_module_folder() / "mod_auth_openidc.so").exists():
        raise RuntimeError("Apache or mod_auth_openidc is not installed: run .ci/system-packages")
    return path


def _module_folder() -> Path:
    return next(iter(Path("/usr").glob("lib*/apache2/modules")), Path("/nowhere"))


def _configuration(
    folder: Path, port: int, directives: str, modules: Sequence[str] = _MODULES
) -> str:
    loaded = "\n".join(
        f"LoadModule {name}_module {_module_folder()}/mod_{name}.so" for name in modules
    )
    # As root it would serve as root; the user "nobody" is there on every system.
    user = "User nobody\nGroup nogroup" if os.geteuid() == 0 else ""
    return f"""
ServerName localhost
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
Listen 127.0.0.1:{port}
ErrorLog {folder}/error.log
{loaded}
{user}
{directives}
"""


@dataclass(frozen=True)
class Apache:
    """Where it runs, and what it complains about."""

    url: str
    log: Path


@contextmanager
def apache(
    folder: Path, port: int, directives: str, modules: Sequence[str] = _MODULES
) -> Iterator[Apache]:
    """Run it at ``port``. Raises ``RuntimeError`` with what it said when it does not start."""
    file = folder / "httpd.conf"
    file.write_text(_configuration(folder, port, directives, modules))
    command = [_binary(), "-f", str(file), "-DFOREGROUND"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: _answers(process, port, folder), seconds=20, what="Apache's start")
            yield Apache(f"http://localhost:{port}", folder / "error.log")
        finally:
            process.terminate()
            process.communicate(timeout=20)


def _answers(process: "subprocess.Popen[str]", port: int, folder: Path) -> bool:
    if process.poll() is not None:
        log = folder / "error.log"
        said = process.stderr.read() if process.stderr else ""
        raise RuntimeError(
            f"Apache ended by itself: {said}{log.read_text() if log.exists() else ''}"
        )
    try:
        return bool(httpx.get(f"http://127.0.0.1:{port}/open", verify=PLAIN).status_code)
    except httpx.TransportError:
        return False
