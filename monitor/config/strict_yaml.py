"""YAML, refused where it is ambiguous: a key written twice, a key that is not text, a second document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from monitor.errors import ConfigError
from monitor.validation import KeyPath

MAX_CHARACTERS: Final = 1_000_000
MAX_VALUES: Final = 100_000
MAX_DEPTH: Final = 50


def read_yaml(text: str, name: str) -> tuple[dict[str, Any], Mapping[KeyPath, int]]:
    """The mapping that `text` holds, and the line of each of its keys and items.

    Parameters
    ----------
    text
        One YAML document.
    name
        What to call it in messages.

    Raises
    ------
    ConfigError
        If the text is not YAML or not a mapping, or holds a key twice; PyYAML would keep the last one and
        say nothing.

    Examples
    --------
    >>> values, lines = read_yaml("drift:\\n  every: 1d\\n", "monitor.yaml")
    >>> values, lines["drift", "every"]
    ({'drift': {'every': '1d'}}, 2)
    >>> read_yaml("output: a\\noutput: b\\n", "monitor.yaml")
    Traceback (most recent call last):
    ...
    monitor.errors.ConfigError: monitor.yaml, line 2: 'output' is there twice, first in line 1: ...
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(
            f"{name} has {len(text):,} characters; a config has at most {MAX_CHARACTERS:,}: rows and "
            "lists of values belong into files of their own"
        )
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        raise ConfigError(_unreadable(error, text, name)) from error
    try:
        node = loader.get_single_node()
        if node is None:
            raise ConfigError(f"{name} is empty: `monitor init` writes one to start from")
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(
                f"{name}, line {_line(node)}: the file must hold keys and values such as "
                "'features: …', not a list or a single value: `monitor init` writes one to start "
                "from"
            )
        _check_size(node)
        lines: dict[KeyPath, int] = {}
        _walk(node, (), lines, set(), name)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_problem(error, name)) from error
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{name} is not YAML: {error}") from error
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Safe, shallow, and of numbers as YAML 1.2 has them: `1e-6` is one, which YAML 1.1 takes for text."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _too_deep(self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def _check_size(root: yaml.Node) -> None:
    """Refuse what is small as text and endless as values: an alias may name what holds aliases."""
    measured: dict[int, tuple[int, int]] = {}
    around: set[int] = set()

    def measure(node: yaml.Node) -> tuple[int, int]:
        """How many values `node` holds with its aliases written out, and how deep they lie."""
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        if id(node) in around:
            raise yaml.MarkedYAMLError(
                problem="it refers to itself: write it out", problem_mark=node.start_mark
            )
        if id(node) not in measured:
            around.add(id(node))
            pairs = node.value if isinstance(node, yaml.MappingNode) else [node.value]
            parts = [measure(part) for pair in pairs for part in pair]
            around.discard(id(node))
            n_values = 1 + sum(n for n, _ in parts)
            measured[id(node)] = n_values, 1 + max((depth for _, depth in parts), default=0)
            if n_values > MAX_VALUES:
                raise yaml.MarkedYAMLError(
                    problem=f"more than {MAX_VALUES:,} values, each *name written out: leave most out",
                    problem_mark=node.start_mark,
                )
            if measured[id(node)][1] > MAX_DEPTH:
                raise _too_deep(node.start_mark)
        return measured[id(node)]

    measure(root)


def _too_deep(mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(
        problem=f"nested in {MAX_DEPTH} others: no key of a config lies that deep",
        problem_mark=mark,
    )


def _walk(
    node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], visited: set[int], name: str
) -> None:
    """Note the line of everything below `node`; a node that aliases repeat is visited once."""
    if id(node) in visited:
        return
    visited.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[*path, index] = _line(item)
            _walk(item, (*path, index), lines, visited, name)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*path, _key(key, name))
            if place in lines:
                raise ConfigError(
                    f"{name}, line {_line(key)}: {key.value!r} is there twice, first in line "
                    f"{lines[place]}: keep one of the two"
                )
            lines[place] = _line(key)
            _walk(value, place, lines, visited, name)


def _key(node: yaml.Node, name: str) -> str:
    if node.tag not in {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}:
        shown = repr(node.value) if isinstance(node, yaml.ScalarNode) else "a list or mapping"
        raise ConfigError(
            f"{name}, line {_line(node)}: {shown} is not text and cannot be a key: put it in quotes"
        )
    return str(node.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _unreadable(error: yaml.reader.ReaderError, text: str, name: str) -> str:
    line = text.count("\n", 0, error.position) + 1
    return (
        f"{name}, line {line}: the character U+{ord(text[error.position]):04X} cannot stand in YAML: "
        "remove it"
    )


def _problem(error: yaml.MarkedYAMLError, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    problem = error.problem or error.context or "the text cannot be read"
    if "alias" in f"{error.context} {problem}":
        problem = "a value that starts with '*' or '&' must be in quotes"
    elif "'\\t'" in problem:
        problem = "a tab; YAML is indented with spaces"
    elif "expected a single document" in problem or "but found another document" in problem:
        problem = "a second document; keep one"
    elif "',' or ']'" in problem or "',' or '}'" in problem or "<block end>" in problem:
        problem += (
            "; a value that starts with '[' or '{' but is not a list or mapping must be in quotes"
        )
    elif problem.startswith(("nested in", "more than", "it refers")):
        return f"{where}: {problem}"
    return f"{where}: this is not YAML: {problem}"
