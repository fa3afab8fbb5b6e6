"""YAML that says no: to a key written twice, to a key that is no text, to a second document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from monitor.errors import ConfigError
from monitor.validation import KeyPath


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
        If the text is no YAML, no mapping, or holds a key twice; PyYAML would keep the last one and
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
    loader = yaml.SafeLoader(text)
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
        lines: dict[KeyPath, int] = {}
        _walk(node, (), lines, set(), name)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_problem(error, name)) from error
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{name} is no YAML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{name} is nested too deeply, or refers to itself") from error
    finally:
        loader.dispose()


def _walk(
    node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], seen: set[int], name: str
) -> None:
    """Note the line of everything below `node`; a node that aliases repeat is visited once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[*path, index] = _line(item)
            _walk(item, (*path, index), lines, seen, name)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*path, _key(key, name))
            if place in lines:
                raise ConfigError(
                    f"{name}, line {_line(key)}: {key.value!r} is there twice, first in line "
                    f"{lines[place]}: keep one of the two"
                )
            lines[place] = _line(key)
            _walk(value, place, lines, seen, name)


def _key(node: yaml.Node, name: str) -> str:
    if node.tag not in {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}:
        shown = repr(node.value) if isinstance(node, yaml.ScalarNode) else "a list or mapping"
        raise ConfigError(
            f"{name}, line {_line(node)}: {shown} is no text and cannot be a key: put it in quotes"
        )
    return str(node.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _problem(error: yaml.MarkedYAMLError, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    problem = error.problem or error.context or "the text cannot be read"
    if "alias" in f"{error.context} {problem}":
        problem = "a value that starts with '*' or '&' must stand in quotes"
    elif "'\\t'" in problem:
        problem = "a tab; YAML is indented with spaces"
    elif "expected a single document" in problem or "but found another document" in problem:
        problem = "a second document; keep one"
    return f"{where}: this is no YAML: {problem}"
