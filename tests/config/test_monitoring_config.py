import re
from pathlib import Path

import pytest
import yaml

import monitor
from monitor.config import MonitoringConfig, json_schema, template
from monitor.drift import MINIMUM_ROWS
from monitor.errors import ConfigError

VECTORS = {"name": "photo", "type": "FROM_VECTOR", "column": "embedding"}
DATA = {
    "baseline": {"path": "train.parquet"},
    "production": {"path": "prod/*.parquet", "timestamp_column": "ts"},
}


def config_of(**changes):
    return MonitoringConfig.from_dict({"features": [VECTORS], "data": DATA, **changes})


def message(text: str, tmp_path: Path) -> str:
    path = tmp_path / "monitor.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        MonitoringConfig.load(path)
    return str(error.value).replace(str(path), "monitor.yaml")


def test_defaults():
    config = config_of()
    assert config.version == 1
    assert config.output == ".monitor"
    assert config.report.html == "report.html"
    assert config.report.json_file == "report.json"
    assert config.drift.every is None
    assert config.drift.minimum_rows == MINIMUM_ROWS
    assert config.sources == monitor.SourcePolicy()


def test_from_python_objects():
    photos = monitor.ImageEmbedding(name="a", source_column="url", column="v", model="compact")
    policy = monitor.SourcePolicy(hosts=["images.example.com"])
    config = MonitoringConfig(features=[photos], data=DATA, sources=policy)
    assert config.features == (photos,)
    assert MonitoringConfig.from_dict(config.to_dict()) == config


ALL_FEATURES = [
    {"name": "a", "type": "FROM_IMAGE_EMBEDDING", "source_column": "u", "column": "v"},
    {
        "name": "b",
        "type": "FROM_IMAGE_EMBEDDING",
        "source_column": "u",
        "column": "v2",
        "n_clusters": None,
        "space": {"image": "u", "model": "clip-ViT-B-32"},
    },
    {"name": "c", "type": "FROM_TEXT_EMBEDDING", "source_column": "t", "column": "tv"},
    {"name": "d", "type": "FROM_COLUMNS", "columns": ["x", "y"], "centroids": [[0, 1], [1, 0]]},
    {"name": "e", "type": "ENRICHMENT", "enrichment": "toxicity", "columns": ["t"]},
    VECTORS,
]


def test_every_feature_type_goes_round_through_yaml(tmp_path):
    config = config_of(
        features=ALL_FEATURES,
        sources={"roots": ["images"], "connect_timeout_seconds": 2, "deadline_seconds": 3},
        drift={"every": "6h", "alpha": 0.02, "segment_column": "land"},
        report={"html": None, "json": "out/r.json", "thumbnails": False},
    )
    path = tmp_path / "monitor.yaml"
    path.write_text(config.to_yaml(), encoding="utf-8")
    loaded = MonitoringConfig.load(path)
    assert loaded.to_dict() == config.to_dict()
    assert MonitoringConfig.from_dict(yaml.safe_load(config.to_yaml())) == config
    assert hash(MonitoringConfig.from_dict(config.to_dict())) == hash(config)
    assert [feature.name for feature in config.monitored] == ["a", "b", "c", "d", "photo"]


def test_it_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        config_of().output = "x"


def test_paths_start_at_the_config(tmp_path):
    config = config_of(sources={"roots": ["images", "/srv"], "ca_bundle": "ca.pem"})
    path = tmp_path / "deep" / "monitor.yaml"
    path.parent.mkdir()
    path.write_text("\ufeff" + config.to_yaml(), encoding="utf-8")  # with a byte order mark
    loaded = MonitoringConfig.load(path)
    assert loaded.folder == path.parent
    assert loaded.resolve("a.parquet") == path.parent / "a.parquet"
    assert loaded.resolve("/a.parquet") == Path("/a.parquet")
    assert loaded.policy.roots == (str(path.parent / "images"), "/srv")
    assert loaded.policy.ca_bundle == str(path.parent / "ca.pem")


GOOD = """\
features:
  - name: photo
    type: FROM_VECTOR
    column: embedding
data:
  baseline: {path: train.parquet}
  production: {path: prod.parquet, timestamp_column: ts}
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("features:", "featurs:"),
            "line 1, featurs: there is no such key; did you mean 'features'? allowed: version, ",
        ),
        (("data:", "dta:"), "data: is missing: add it"),
        (
            ("    column: embedding", "    colum: embedding"),
            "line 4, features[0].colum: there is no such key; did you mean 'column'?",
        ),
        (
            ("    column: embedding", "    column: embedding\n    n_clusters: 1"),
            "line 5, features[0].n_clusters: 1: must be at least 2",
        ),
        (
            ("FROM_VECTOR", "FROM_VECTORS"),
            "line 3, features[0].type: 'FROM_VECTORS' is not a type; did you mean 'FROM_VECTOR'?",
        ),
        (("    type: FROM_VECTOR\n", ""), "line 2, features[0].type: is missing: add it; allowed:"),
        (
            ("{path: train.parquet}", "train.parquet"),
            "line 6, data.baseline: 'train.parquet': must be keys and values; allowed keys: path, ",
        ),
        (
            ("path: prod", "pth: prod"),
            "line 7, data.production.pth: there is no such key; did you mean 'path'",
        ),
        (("path: prod.parquet, ", ""), "line 7, data.production.path: is missing"),
        (("ts}", "3}"), "line 7, data.production.timestamp_column: 3: must be text: put it in quo"),
        (("ts}", "''}"), "line 7, data.production.timestamp_column: '': must not be empty"),
        (("ts}", "ts}\noutput:"), "line 8, output: has no value: give it one, or leave"),
        (("ts}", "ts}\nversion: 2"), "line 8, version: 2: must be 1"),
        (
            ("ts}", "ts}\ndrift: {every: 1y}"),
            "line 8, drift.every: every='1y' is not a length of time",
        ),
        (("ts}", "ts}\ndrift: {minimum_rows: yes}"), "minimum_rows: True: expected a value, not "),
        (
            ("ts}", "ts}\ndrift: {minimum_rows: 1}"),
            "minimum_rows: 1: must be greater than or equal",
        ),
        (("ts}", "ts}\ndrift: {max_false_alarms_per_year: 0}"), "0: must be greater than 0"),
        (
            ("ts}", "ts}\ndrift:\n  max_false_alarms_per_year: 2\n  alpha: .1"),
            "line 10, drift.alpha: 0.1 and max_false_alarms_per_year (2) both set the level",
        ),
        (
            (", timestamp_column: ts}", "}\ndrift: {every: 1d}"),
            "drift.every: '1d' needs to know when each row happened: name the column in data.prod",
        ),
        (("ts}", "ts}\nsources: {schemes: [ftp]}"), "line 8, sources.schemes[0]: 'ftp': must be "),
        (
            ("ts}", "ts}\nsources: {host: a}"),
            "sources.host: there is no such key; did you mean 'ho",
        ),
        (("ts}", "ts}\nsources: {schemes: [file]}"), "line 8, sources: schemes names file but roo"),
        (
            ("ts}", "ts}\nreport: {jsn: a}"),
            "report.jsn: there is no such key; did you mean 'json'?",
        ),
    ],
)
def test_each_mistake_says_where_and_what(change, told, tmp_path):
    assert change[0] in GOOD
    text = message(GOOD.replace(*change), tmp_path)
    assert told in text
    assert "pydantic" not in text


def test_one_mistake_is_one_line(tmp_path):
    text = message(GOOD.replace("embedding", "''"), tmp_path)
    assert text.startswith("monitor.yaml, line 4, features[0].column: '': must not be empty")
    assert "\n" not in text


def test_several_mistakes_are_told_together_by_line(tmp_path):
    text = message(GOOD.replace("name:", "nam:").replace("ts}", "3}"), tmp_path)
    head, *lines = text.splitlines()
    assert head == "monitor.yaml holds 3 mistakes:"
    assert [re.match(r" +line (\d)", line)[1] for line in lines] == ["2", "2", "7"]


def test_two_features_of_one_name_or_column():
    with pytest.raises(ConfigError, match=r"features: two features are named 'photo'"):
        config_of(features=[VECTORS, VECTORS | {"column": "other"}])
    photos = ALL_FEATURES[0]
    with pytest.raises(ConfigError, match="keep different vectors in the same column 'v'"):
        config_of(features=[photos, photos | {"name": "z", "source_column": "w"}])


def test_something_must_be_monitored():
    with pytest.raises(ConfigError, match="an enrichment is not monitored"):
        config_of(features=[ALL_FEATURES[4]])
    with pytest.raises(ConfigError, match=r"features: \[\]: is too short: give at least 1"):
        config_of(features=[])
    with pytest.raises(ConfigError, match=r"features\[0\]: 'photo': must be a feature"):
        config_of(features=["photo"])


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no config at .*nowhere.yaml: `monitor init`"):
        MonitoringConfig.load(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        MonitoringConfig.load(tmp_path / "bytes.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory: name a YAML file"):
        MonitoringConfig.load(tmp_path)
    with pytest.raises(ConfigError, match=r"did you mean 'bytes.yaml'\?"):
        MonitoringConfig.load(tmp_path / "bytes.yml")


def test_the_template_holds_with_every_comment_taken_up():
    text = template()
    config = MonitoringConfig.from_dict(yaml.safe_load(text))
    assert config.features[0].model == "compact"
    every = re.sub(r"^( *)# (\w+: .*)$", r"\1\2", text, flags=re.MULTILINE)
    assert every.count("# ") < text.count("# ")
    full = MonitoringConfig.from_dict(yaml.safe_load(every))
    assert full.sources.roots == ("images",)
    assert full.report.thumbnails is False
    assert full.model_cache_dir == "models"


def test_the_schema_knows_valid_and_invalid_configs():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    assert list(validator.iter_errors(yaml.safe_load(template()))) == []
    assert list(validator.iter_errors({"features": ALL_FEATURES, "data": DATA})) == []
    assert list(validator.iter_errors({"features": [VECTORS]}))
    assert list(validator.iter_errors({"features": [VECTORS], "data": DATA, "x": 1}))
    assert list(validator.iter_errors({"features": [VECTORS | {"type": "FOO"}], "data": DATA}))


def test_the_schema_describes_each_key():
    schema = json_schema()
    for name, definition in {"": schema, **schema["$defs"]}.items():
        # A column inside of a space is written as its name.
        if name in {"Blob", "String", "DescribedBlob"}:
            continue
        for key, field in definition.get("properties", {}).items():
            assert field.get("description"), f"{name}.{key}"


def test_a_tag_that_is_the_default_is_kept_beside_another_model() -> None:
    feature = monitor.ImageEmbedding(
        name="a", source_column="b", column="c", model="ViT-B-16", pretrained="laion2b_s34b_b79k"
    )
    config = MonitoringConfig.from_dict(
        {
            "features": [feature],
            "data": {"baseline": {"path": "a.csv"}, "production": {"path": "b.csv"}},
        }
    )
    assert MonitoringConfig.from_dict(config.to_dict()).features == (feature,)


def test_of_many_mistakes_the_first_are_told_and_all_counted(tmp_path):
    keys = "\n".join(f"k{i}: {i}" for i in range(2_000))
    told = message(f"{GOOD}{keys}\n", tmp_path)
    lines = told.splitlines()
    assert lines[0] == "monitor.yaml holds 2,000 mistakes; the first 20:"
    assert len(lines) == 21
    assert "k0: there is no such key" in lines[1]
    assert len(told) < 10_000
