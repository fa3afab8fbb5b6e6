"""Which format bytes have, by their first bytes: neither the name nor the Content-Type decides."""

from __future__ import annotations

import re

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
    # In text, "P1 " is common: a header of the old formats has a number or a comment next.
    if _NETPBM.match(head):
        return "PNM"
    if head[:4] == b"\0\0\1\0" and head[5:6] == b"\0" and head[9:10] == b"\0":
        return "ICO"
    if head[4:8] == b"ftyp":
        # The major brand, then the compatible ones from byte 16 on: an AVIF can call itself mif1.
        brands = [head[8:12], *(head[i : i + 4] for i in range(16, min(len(head), 32), 4))]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in _HEIC_BRANDS for brand in brands):
            return "HEIC"
    return None


_NETPBM = re.compile(rb"P[1-6](?:[ \t\r\n]+[0-9]|[ \t\r\n]*#|[ \t\r\n]+\Z)")
_BITMAP_HEADERS = tuple(size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124))


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
