"""Words as an encoder knows them, and the names that they give."""

import numpy as np
import pytest

from monitor.clusters import Name, Words
from monitor.errors import InvalidInputError
from monitor.naming import (
    ValueCounts,
    distinct,
    fit_words,
    group_name,
    kept_names,
    name_by_lift,
    read_vocabulary,
    word_vectors,
)

WIDTH = 32
KNOWN = ("shoes", "hat", "coat", "dress")


def encode(texts):
    """A text tower that knows a few words: one axis each, and one for whatever it does not know."""
    rows = np.zeros((len(texts), WIDTH), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        row[0] = 0.2
        known = [at for at, word in enumerate(KNOWN, 1) if word in text.split()]
        row[known or [WIDTH - 1]] = 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def images(word, n, rng):
    rows = encode([word] * n) + rng.normal(0, 0.05, (n, WIDTH))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def words() -> Words:
    rng = np.random.default_rng(0)
    names, vectors = word_vectors(KNOWN, encode)
    rows = np.concatenate([images(word, 50, rng) for word in KNOWN[:3]])
    return fit_words(names, vectors, rows)


def test_words_that_mean_no_more_than_made_up_ones_are_left_out():
    names, vectors = word_vectors(("hat", "laptop", "coat", "lab coat", "zeppelin"), encode)
    assert names == ("hat", "coat")
    assert vectors.shape == (2, WIDTH)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


def test_a_text_tower_that_knows_nothing_gives_no_words():
    def same(texts):
        return np.ones((len(texts), WIDTH), dtype=np.float32) / np.sqrt(WIDTH)

    assert word_vectors(KNOWN, same)[0] == ()
    assert word_vectors((), encode)[0] == ()


def test_a_group_is_named_by_what_sets_it_apart(words):
    rng = np.random.default_rng(1)
    name = group_name(images("dress", 20, rng), words)
    assert (name.text, name.words[0]) == ("dress", "dress")
    # What the baseline shows anyway says nothing.
    mixed = np.concatenate([images(word, 20, rng) for word in KNOWN[:3]])
    assert group_name(mixed, words).text == ""
    assert group_name(mixed[:4], words) == Name()


def test_unrelated_rows_get_no_name(words):
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(40, WIDTH)).astype(np.float32)
    assert not group_name(rows / np.linalg.norm(rows, axis=1, keepdims=True), words)


def test_words_that_mean_the_same_count_together():
    rng = np.random.default_rng(3)
    vectors = encode(["shoes", "shoes", "shoes", "hat", "coat"])
    rows = np.concatenate([images(word, 50, rng) for word in KNOWN[:3]])
    words = fit_words(("shoes", "boots", "sandals", "hat", "coat"), vectors, rows)
    name = group_name(images("shoes", 30, rng), words)
    assert name.text in {"shoes", "boots", "sandals"}
    assert set(name.words) == {"shoes", "boots", "sandals"}


def test_names_stay_where_clusters_do():
    earlier = np.array([[0, 0], [10, 0], [0, 10]], dtype=np.float32)
    names = [Name("hat"), Name("shoes"), Name()]
    moved = np.array([[10.5, 0], [5, 5], [0, 9.5]], dtype=np.float32)
    assert kept_names(moved, earlier, names) == {0: Name("shoes")}
    assert kept_names(moved, earlier, ()) == {}
    told = distinct([Name("shoes"), Name("hat"), Name("shoes")], firm={2})
    assert [name.text for name in told] == ["shoes (2)", "hat", "shoes"]


def test_metadata_names_only_what_it_sets_apart():
    few = ValueCounts({"FR": 6, "DE": 4}, {"FR": 50, "DE": 50})
    assert name_by_lift({"country": few}, ignored=frozenset()) == Name()
    clear = ValueCounts({"FR": 60, "DE": 4}, {"FR": 20, "DE": 500})
    assert name_by_lift({"country": clear}, ignored=frozenset()).text == "country = FR"
    assert name_by_lift({"country": clear}, ignored=frozenset({"FR"})) == Name()
    signed = ValueCounts({"https://u:p@a.example/b?sig=1": 60}, {"x": 500})
    (word,) = name_by_lift({"page": signed}, ignored=frozenset()).words
    assert "sig" not in word
    assert "u:p" not in word


def test_a_vocabulary_is_a_list_or_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("\ufeff# ours\npallet  jack\n\ncrate # wooden\ncrate\n", encoding="utf-8")
    assert read_vocabulary(path) == ("pallet jack", "crate")
    assert read_vocabulary([]) == ()
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_vocabulary(tmp_path / "none.txt")
    with pytest.raises(InvalidInputError, match="at most 80"):
        read_vocabulary(["x" * 81])
    with pytest.raises(InvalidInputError, match="at most 10,000"):
        read_vocabulary([str(n) for n in range(10_001)])


def test_the_own_vocabulary_holds_each_word_once():
    text = read_vocabulary()
    assert len({word.lower() for word in text}) == len(text)
