"""What a picture is by its bytes: of three kinds that hold nothing but a picture, and how big."""

from collections.abc import Callable, Mapping
from typing import Final

Size = tuple[int, int]
NOT_ONE: Final = "must be a picture: PNG, JPEG or WebP. An SVG can hold scripts: save it as PNG"


def picture_type(body: bytes, *, most: int) -> str:
    """The media type of a picture whose sides have at most ``most`` pixels.

    By what it is and not by what it is called. Raises ``ValueError`` that says what it must be.
    """
    for media_type, size_of in _KINDS.items():
        size = size_of(body)
        if size is not None:
            if not all(0 < side <= most for side in size):
                raise ValueError(f"must be at most {most} pixels wide and high")
            return media_type
    raise ValueError(NOT_ONE)


def _png(body: bytes) -> Size | None:
    """PNG 3rd edition, 5.2 and 11.2.1: the signature, and IHDR as the first chunk."""
    if body[:8] != b"\x89PNG\r\n\x1a\n" or body[12:16] != b"IHDR" or len(body) < 24:
        return None
    return int.from_bytes(body[16:20]), int.from_bytes(body[20:24])


_NO_FRAMES: Final = frozenset({0xC4, 0xC8, 0xCC})


def _jpeg(body: bytes) -> Size | None:
    """ITU-T T.81, B.1: segment after segment, until the header of the frame."""
    if body[:3] != b"\xff\xd8\xff":
        return None
    place = 2
    while place + 9 <= len(body) and body[place] == 0xFF:
        marker, length = body[place + 1], int.from_bytes(body[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES:
            height, width = body[place + 5 : place + 7], body[place + 7 : place + 9]
            return int.from_bytes(width), int.from_bytes(height)
        place += 2 + max(length, 2)
    return None


def _webp(body: bytes) -> Size | None:
    """RFC 9649: a RIFF file with one of three chunks first, each with its own way to say a size."""
    if body[:4] != b"RIFF" or body[8:12] != b"WEBP" or len(body) < 30:
        return None
    size_of = _CHUNKS.get(body[12:16])
    return size_of(body) if size_of else None


def _extended(body: bytes) -> Size:
    return (
        int.from_bytes(body[24:27], "little") + 1,
        int.from_bytes(body[27:30], "little") + 1,
    )


def _lossless(body: bytes) -> Size:
    bits = int.from_bytes(body[21:25], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _lossy(body: bytes) -> Size:
    return (
        int.from_bytes(body[26:28], "little") & 0x3FFF,
        int.from_bytes(body[28:30], "little") & 0x3FFF,
    )


_CHUNKS: Final[Mapping[bytes, Callable[[bytes], Size]]] = {
    b"VP8X": _extended,
    b"VP8L": _lossless,
    b"VP8 ": _lossy,
}
_KINDS: Final[Mapping[str, Callable[[bytes], Size | None]]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
}
