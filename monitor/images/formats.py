"""Which format bytes have, by their first bytes: neither the name nor the Content-Type decides."""

from __future__ import annotations

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def image_format(head: bytes) -> str | None:
    """The image format whose signature `head` (32 bytes are enough) begins with, or None.

    >>> image_format(b"\\x89PNG\\r\\n\\x1a\\n"), image_format(b"<html>")
    ('PNG', None)
    """
    for signature, name in (
        (b"\xff\xd8\xff", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0", "TIFF"),
        (b"MM\0+", "TIFF"),
    ):
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    # Two letters are little: a bitmap also has a known header size in its fifteenth byte.
    if head[:2] == b"BM" and head[14:18] in _BITMAP_HEADERS:
        return "BMP"
    if head[:1] == b"P" and head[1:2] in b"456" and head[2:3] in (b"\n", b" ", b"\t", b"\r"):
        return "PPM"
    if head[4:8] == b"ftyp":
        # The major brand, then the compatible ones from byte 16 on: an AVIF can call itself mif1.
        brands = [head[8:12], *(head[i : i + 4] for i in range(16, min(len(head), 32), 4))]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in _HEIC_BRANDS for brand in brands):
            return "HEIC"
    return None


_BITMAP_HEADERS = tuple(size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124))


def declared_size(name: str, data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels in the header of a PNG or animated WEBP; None for what has none.

    Pillow tells the size of the other formats before it takes memory for their pixels. Of a WEBP it
    takes that of the whole canvas first, and a PNG is not given to it until its checksums hold.

    >>> declared_size("PNG", bytes(12) + b"IHDR" + bytes([0, 0, 0, 5, 0, 0, 1, 0]))
    (5, 256)
    """
    if name == "PNG" and data[12:16] == b"IHDR" and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if name == "WEBP" and data[12:16] == b"VP8X" and len(data) >= 30:
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    return None


def describe_other(head: bytes) -> str:
    """What bytes that are no image seem to be, for a person.

    >>> describe_other(b"  <!DOCTYPE html>")
    'HTML'
    """
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    for signature, name in (
        (b"<!doctype html", "HTML"),
        (b"<html", "HTML"),
        (b"<svg", "SVG, a drawing and not pixels"),
        (b"<?xml", "XML or SVG"),
        (b"<", "HTML or XML"),
        (b"{", "JSON"),
        (b"[", "JSON"),
        (b"%pdf", "PDF"),
        (b"%!ps", "PostScript"),
        (b"\xc5\xd0\xd3\xc6", "PostScript"),
        (b"pk\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "gzip"),
    ):
        if text.startswith(signature):
            return name
    return f"first bytes {head[:8].hex(' ')}" if head else "no bytes"
