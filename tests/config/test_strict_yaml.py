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
        ("a: [1\n", "m.yaml, line 2, column 1: this is not YAML"),
        (
            "a: *.parquet\n",
            "line 1, column 5: this is not YAML: a value that starts with '*' or '&'",
        ),
        ("a: *x\n", "a value that starts with '*' or '&' must be in quotes"),
        ("a:\n\tb: 1\n", "m.yaml, line 2, column 1: this is not YAML: a tab"),
        ("a: 1\n---\nb: 2\n", "a second document; keep one"),
        ("on: 1\n", "m.yaml, line 1: 'on' is not text and cannot be a key: put it in quotes"),
        ("? [a]\n: 1\n", "a list or mapping is not text"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        (
            "a: [2026]/x.parquet\n",
            "a value that starts with '[' or '{' but is not a list or mapping must",
        ),
        ("a: {de}.csv\n", "a value that starts with '[' or '{' but is not a list or mapping must"),
        ("a: &a [*a]\n", "m.yaml, line 1, column 4: it refers to itself: write it out"),
        ("a: 1\nb: \0\n", "m.yaml, line 2: the character U+0000 cannot stand in YAML: remove it"),
        ("a: 2020-13-45\n", "m.yaml is not YAML: month must be in 1..12"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ConfigError) as error:
        read_yaml(text, "m.yaml")
    assert message in str(error.value)


def test_aliases_and_merge_keys_work():
    values, _ = read_yaml("a: &x {k: 1}\nb: {<<: *x, j: 2}\n", "m.yaml")
    assert values == {"a": {"k": 1}, "b": {"k": 1, "j": 2}}


@pytest.mark.parametrize("inner", ["[{}]", "{{<<: [{}]}}"], ids=["lists", "merged"])
def test_aliases_of_aliases_are_counted_as_written_out(inner):
    first = "a0: &a0 {k: 1}"
    levels = [f"a{i}: &a{i} " + inner.format(", ".join([f"*a{i - 1}"] * 9)) for i in range(1, 40)]
    with pytest.raises(ConfigError, match=r"line 6, .*: more than 100,000 values, each \*name"):
        read_yaml("\n".join([first, *levels]), "m.yaml")


def test_what_an_alias_repeats_counts_where_it_is_repeated():
    shared = ", ".join(["x"] * 1000)
    values, _ = read_yaml(f"a: &a [{shared}]\nb: [{', '.join(['*a'] * 90)}]\n", "m.yaml")
    assert len(values["b"]) == 90


def test_a_deep_nest_is_refused_before_it_is_read():
    with pytest.raises(ConfigError, match="line 1, column 53: nested in 50 others"):
        read_yaml("a: " + "[" * 5000 + "]" * 5000, "m.yaml")


def test_a_chain_of_aliases_is_a_nest_too():
    levels = [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 60)]
    with pytest.raises(ConfigError, match="nested in 50 others"):
        read_yaml("\n".join(["a0: &a0 [x]", *levels]), "m.yaml")


def test_the_text_is_bounded():
    with pytest.raises(
        ConfigError, match=r"m\.yaml has 1,000,002 characters; a config has at most"
    ):
        read_yaml("#" * 1_000_002, "m.yaml")


@pytest.mark.parametrize(
    ("written", "number"),
    [("1e-6", 1e-6), ("2e9", 2e9), ("-1.5E+3", -1500.0), (".5e1", 5.0), ("1e", "1e"), ("e9", "e9")],
)
def test_numbers_with_an_exponent(written, number):
    assert read_yaml(f"a: {written}\n", "m.yaml")[0] == {"a": number}
