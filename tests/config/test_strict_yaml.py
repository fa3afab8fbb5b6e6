import pytest

from monitor.config.strict_yaml import read_yaml
from monitor.errors import ConfigError


def test_lines_of_keys_and_items():
    text = "# comment\nfeatures:\n  - name: a\n    column: v\n  - {name: b}\n"
    values, lines = read_yaml(text, "m.yaml")
    assert values == {"features": [{"name": "a", "column": "v"}, {"name": "b"}]}
    assert lines["features",] == 2
    assert lines["features", 0, "column"] == 4
    assert lines["features", 1, "name"] == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "m.yaml, line 3: 'a' is there twice, first in line 1: keep one"),
        ("a:\n  - x: 1\n    x: 2\n", "m.yaml, line 3: 'x' is there twice, first in line 2"),
        ("", "m.yaml is empty: `monitor init` writes one"),
        ("# only a comment\n", "m.yaml is empty"),
        ("- a\n", "m.yaml, line 1: the file must hold keys and values"),
        ("a: [1\n", "m.yaml, line 2, column 1: this is no YAML"),
        (
            "a: *.parquet\n",
            "line 1, column 5: this is no YAML: a value that starts with '*' or '&'",
        ),
        ("a: *x\n", "a value that starts with '*' or '&' must stand in quotes"),
        ("a:\n\tb: 1\n", "m.yaml, line 2, column 1: this is no YAML: a tab"),
        ("a: 1\n---\nb: 2\n", "a second document; keep one"),
        ("on: 1\n", "m.yaml, line 1: 'on' is no text and cannot be a key: put it in quotes"),
        ("? [a]\n: 1\n", "a list or mapping is no text"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("a: 2020-13-45\n", "m.yaml is no YAML: month must be in 1..12"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ConfigError) as error:
        read_yaml(text, "m.yaml")
    assert message in str(error.value)


def test_aliases_and_merge_keys_work():
    values, _ = read_yaml("a: &x {k: 1}\nb: {<<: *x, j: 2}\n", "m.yaml")
    assert values == {"a": {"k": 1}, "b": {"k": 1, "j": 2}}


def test_nested_aliases_cost_no_time():
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
    _, lines = read_yaml("\n".join(["a0: &a0 [x]", *levels]), "m.yaml")
    assert lines["a39",] == 40


def test_a_deep_nest_is_told():
    with pytest.raises(ConfigError, match="nested too deeply"):
        read_yaml("a: " + "[" * 5000 + "]" * 5000, "m.yaml")
