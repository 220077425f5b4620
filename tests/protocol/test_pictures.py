"""What a picture is, by its bytes."""

import pytest

from idp.protocol.pictures import picture_type

PNG = b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d49484452")
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
WEBP = b"RIFF\x00\x00\x00\x00WEBP"


def png(width: int, height: int) -> bytes:
    return PNG + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x06"


def jpeg(width: int, height: int, marker: int = 0xC2) -> bytes:
    frame = bytes([0xFF, marker, 0x00, 0x11, 0x08])
    tables = bytes.fromhex("ffc4000401020304"[:12])
    return JPEG + tables + frame + height.to_bytes(2) + width.to_bytes(2) + b"\x03"


def extended(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return WEBP + b"VP8X" + bytes(8) + sides


def lossless(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return WEBP + b"VP8L" + bytes(4) + b"\x2f" + bits.to_bytes(4, "little") + bytes(8)


def lossy(width: int, height: int) -> bytes:
    sides = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return WEBP + b"VP8 " + bytes(7) + bytes.fromhex("9d012a") + sides


KINDS = {
    "PNG": (png, "image/png"),
    "JPEG": (jpeg, "image/jpeg"),
    "WebP, extended": (extended, "image/webp"),
    "WebP, lossless": (lossless, "image/webp"),
    "WebP, lossy": (lossy, "image/webp"),
}
each_kind = pytest.mark.parametrize(("make", "media_type"), KINDS.values(), ids=KINDS)


@each_kind
def test_its_type_is_found_up_to_the_size_that_is_allowed(make, media_type) -> None:
    assert picture_type(make(300, 200), most=300) == media_type
    assert picture_type(make(1, 300), most=300) == media_type


@each_kind
def test_one_that_is_wider_or_higher_is_refused(make, media_type) -> None:
    for width, height in ((301, 10), (10, 301)):
        with pytest.raises(ValueError, match="at most 300 pixels"):
            picture_type(make(width, height), most=300)


NONE = {
    "nothing": b"",
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a GIF": b"GIF89a\x01\x00\x01\x00",
    "a PNG that ends early": png(1, 1)[:20],
    "a PNG without a header": PNG[:8] + b"\x00\x00\x00\x0dIDAT" + bytes(20),
    "a JPEG without a frame": JPEG,
    "a JPEG of tables alone": jpeg(1, 1, marker=0xC4),
    "a WebP of an unknown kind": WEBP + b"VP9 " + bytes(20),
    "a WebP that ends early": lossy(1, 1)[:20],
}


@pytest.mark.parametrize("body", NONE.values(), ids=NONE)
def test_what_is_no_picture_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="PNG, JPEG or WebP"):
        picture_type(body, most=300)


def test_no_pixels_are_no_picture() -> None:
    with pytest.raises(ValueError, match="at most 300 pixels"):
        picture_type(png(0, 1), most=300)
