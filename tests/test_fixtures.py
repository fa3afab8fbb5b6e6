"""The fixtures: files on disk, embedded through a policy that allows their folder."""

from pathlib import Path

import numpy as np
import pandas as pd

import monitor
from monitor import frames

FIXTURES = Path(__file__).parent.parent / "fixtures"


def test_the_nearest_picture_is_of_the_same_kind_far_more_often_than_by_chance():
    table = pd.read_csv(FIXTURES / "shop.csv")
    table["image"] = [str(FIXTURES / path) for path in table["image"]]
    feature = monitor.ImageEmbedding(
        name="shop", source_column="image", column="vector", model="compact"
    )
    policy = monitor.SourcePolicy(roots=[str(FIXTURES)])
    embedded = monitor.embed(table, feature, policy=policy)
    assert embedded["vector_failure"].isna().all()
    vectors = frames.read_vectors(embedded, "vector").matrix
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -1)
    kinds = table["kind"].to_numpy()
    hits = (kinds[similar.argmax(axis=1)] == kinds).mean()
    # By chance 2 of the 17 others are of one's own kind; colours differ within each.
    assert hits >= 3 * 2 / 17


def test_files_outside_the_roots_stay_closed():
    table = pd.DataFrame({"image": [str(FIXTURES / "shop" / "mug-0.jpg")]})
    feature = monitor.ImageEmbedding(
        name="shop", source_column="image", column="vector", model="compact"
    )
    closed = monitor.embed(table, feature)
    assert closed["vector_failure"].tolist() == ["path_outside_roots"]
