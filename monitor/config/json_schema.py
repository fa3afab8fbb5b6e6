"""`MonitoringConfig` ─► JSON Schema, so that an editor completes and explains `monitor.yaml`."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import BaseModel

from monitor.config.model import MonitoringConfig
from monitor.encoders.space import ImageSpace
from monitor.encoders.spec import EmbeddingEngineConfig
from monitor.features import CustomFeature


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `monitor.yaml`; each key has its description.

    Examples
    --------
    >>> schema = json_schema()
    >>> schema["properties"]["output"]["default"]
    '.monitor'
    """
    features: list[type[BaseModel]] = [*CustomFeature.kinds().values()]
    schema = MonitoringConfig.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    del definitions[CustomFeature.__name__]
    for feature in features:
        own = feature.model_json_schema()
        definitions |= own.pop("$defs", {}) | {feature.__name__: own}
    for definition in (schema, *definitions.values()):
        if "description" in definition:
            # The rest of a docstring is for Python.
            definition["description"] = definition["description"].split("\n\n")[0]
    documented_models: list[type[BaseModel]] = [*features, ImageSpace, EmbeddingEngineConfig]
    for model in documented_models:
        definition = definitions.get(model.__name__, {})
        documented = _parameters(model)
        for name, field in definition.get("properties", {}).items():
            if name in documented:
                field.setdefault("description", documented[name])
    for feature in features:
        definition = definitions[feature.__name__]
        fixed = str(feature.model_fields["type"].default)
        text = "Which kind of feature this is."
        definition["properties"]["type"] = {"const": fixed, "description": text}
        definition["required"] = ["type", *definition["required"]]
    schema["properties"]["features"]["items"] = {
        "oneOf": [{"$ref": f"#/$defs/{feature.__name__}"} for feature in features],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _parameters(model: type[BaseModel]) -> dict[str, str]:
    """What the docstrings of `model` and its bases say of each field.

    A line of its own says more than one shared by several fields, and the nearest class knows best.
    """
    own: dict[str, str] = {}
    shared: dict[str, str] = {}
    for kind in model.__mro__:
        for names, text in _entries(kind.__dict__.get("__doc__") or ""):
            for name in names:
                if not text.startswith("As in"):
                    (own if len(names) == 1 else shared).setdefault(name, text)
    return shared | own


def _entries(docstring: str) -> list[tuple[list[str], str]]:
    """The names and text of each entry of a numpydoc "Parameters" section."""
    _, has_section, section = inspect.cleandoc(docstring).partition("Parameters\n----------\n")
    entries: list[tuple[list[str], list[str]]] = []
    for line in section.splitlines() if has_section else []:
        if line.startswith("    ") and entries:
            entries[-1][1].append(line.strip())
        elif set(line) == {"-"}:
            entries.pop()  # the title of the next section
            break
        elif line.strip():
            entries.append(([name.strip() for name in line.split(",")], []))
    return [(names, " ".join(lines)) for names, lines in entries]
