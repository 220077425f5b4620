"""Stylesheets, scripts and pictures: kept for good under their own address, sent compressed."""

import gzip
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, request

COMPRESSED: Final = frozenset({".css", ".js", ".svg"})
FOR_GOOD: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """``version`` is of what is in it; ``gzipped`` is None for what would not become smaller."""

    version: str
    gzipped: bytes | None

    @classmethod
    def of(cls, path: Path) -> "StaticFile":
        """Read it once: there are a handful of them, and they are small."""
        content = path.read_bytes()
        gzipped = gzip.compress(content, mtime=0) if path.suffix in COMPRESSED else None
        return cls(hashlib.sha256(content).hexdigest()[:12], gzipped)


def install(app: Flask) -> None:
    """Put a version into the address of every static file, so that a browser never asks twice.

    After an upgrade the pages name another address: nobody sees new pages in old clothes.
    """
    folder = Path(app.static_folder or "")
    files = {path.name: StaticFile.of(path) for path in folder.iterdir() if path.is_file()}

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        file = files.get(values.get("filename", "")) if endpoint == "static" else None
        if file is not None:
            values.setdefault("v", file.version)

    def serve(filename: str) -> Response:
        response = app.send_static_file(filename)
        file = files.get(filename)
        return response if file is None else _finished(response, file)

    app.view_functions["static"] = serve


def _finished(response: Response, file: StaticFile) -> Response:
    if request.args.get("v") == file.version:
        response.cache_control.public = True
        response.cache_control.max_age = int(FOR_GOOD.total_seconds())
        response.cache_control.immutable = True
    if file.gzipped is None:
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code == 200 and _takes_gzip():
        _replace(response, file.gzipped)
        response.content_encoding = "gzip"
        response.set_etag(f"{file.version}-gzip")
        response.make_conditional(request)
    return response


def _replace(response: Response, body: bytes) -> None:
    """Send ``body`` instead of the open file, which nobody else would close."""
    if (close := getattr(response.response, "close", None)) is not None:
        close()
    response.direct_passthrough = False
    response.set_data(body)


def _takes_gzip() -> bool:
    return request.accept_encodings["gzip"] > 0 and "Range" not in request.headers
