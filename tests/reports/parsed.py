"""A page as a browser's parser would see it: elements, attributes and visible text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


class Parsed(HTMLParser):
    """Everything in an HTML text.

    `elements` are (name, attributes) in order, `text` is what stands between tags but for style sheets.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._parts: list[str] = []
        self._open = ""
        self.feed(html)
        self.close()

    @classmethod
    def read(cls, path: Path) -> Parsed:
        """The elements of a file."""
        return cls(path.read_text(encoding="utf-8"))

    @property
    def text(self) -> str:
        """Visible text on one line."""
        return " ".join("".join(self._parts).split())

    def named(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of each element called `name`."""
        return [attributes for element, attributes in self.elements if element == name]

    def texts_of_attributes(self, *, but: str) -> str:
        """Every attribute's value, but those of the attribute `but`."""
        return " ".join(
            value or ""
            for _, attributes in self.elements
            for name, value in attributes.items()
            if name != but
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.elements.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self._open != "style":
            self._parts.append(data + " ")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""
