"""Are clusters and changed groups named rightly? Run as `python -m judge.names` in benchmarks/.

Photos of clothes and groceries: of clusters whose majority label holds at least 60 % of the rows, how many
have the product's word among their best three, and how many of the names that are given hold it; the same of
the groups that changed on days with groceries or children's clothes. The control is the same architecture
with random weights.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from datasets import data_folder, photos

import monitor
from monitor.clusters import Baseline, Name
from monitor.drift import ShiftKind

LEAST_MAJORITY = 0.6
N_BASELINE, N_WINDOW = 1_000, 200
N_WORDS = 3
SAYS = {
    "longsleeve": ("long-sleeved shirt", "sweater", "sweatshirt", "hoodie", "cardigan"),
    "outwear": ("jacket", "coat", "raincoat", "down jacket", "leather jacket", "blazer"),
    "pants": ("pants", "jeans", "sweatpants", "leggings"),
    "shoes": ("shoes", "sneakers", "running shoes", "boots", "sandals"),
    "shirt": ("shirt", "polo shirt", "blouse"),
    "dress": ("dress", "summer dress", "evening gown", "wedding dress"),
    "skirt": ("skirt", "miniskirt", "pleated skirt"),
    "hat": ("hat", "cap", "beanie", "straw hat", "cowboy hat"),
    "apple": ("apple", "green apple"),
    "juice": ("juice", "juice carton"),
    "milk": ("milk", "milk carton"),
    "melon": ("melon", "watermelon"),
    "pepper": ("bell pepper", "chilli pepper"),
    "tomato": ("tomato", "cherry tomatoes"),
}
"""The words of the vocabulary that name a label."""
GROCERIES = ("groceries", "fruit", "vegetables", "carton", "grocery store")
CHILDREN = ("child", "baby clothes", "toddler", "baby")


@dataclass
class Count:
    """Names that are right, of those that were asked for, and of those that were given."""

    n: int = 0
    right_words: int = 0
    given: int = 0
    right_given: int = 0

    def add(self, name: str, words: tuple[str, ...], right: tuple[str, ...]) -> None:
        self.n += 1
        self.right_words += any(word in right for word in words[:N_WORDS])
        self.given += bool(name)
        self.right_given += any(word in right for word in name.split(" (")[0].split(", "))

    def line(self, what: str) -> str:
        given = f"{self.right_given} of {self.given}"
        return f"| {what} | {self.n} | {self.right_words} | {given} |"


def says(label: str) -> tuple[str, ...]:
    """The words that are right for a label."""
    return SAYS.get(label, (label,))


def clusters(frame: pd.DataFrame, feature: monitor.ImageEmbedding, seeds: range) -> Count:
    """The clusters of baselines of 1,000 photos of one domain or several."""
    count = Count()
    for seed in seeds:
        rows = frame.iloc[np.random.default_rng(seed).permutation(len(frame))[:N_BASELINE]]
        baseline = monitor.fit_baseline(rows, feature, learn_changes=False)
        labels = baseline.assign(np.stack(rows["vector"].to_list()))[1]
        names = baseline.names or (Name(),) * baseline.n_clusters
        for cluster, name in enumerate(names):
            members = rows["label"].to_numpy()[labels == cluster]
            shares = pd.Series(members).value_counts(normalize=True)
            if len(shares) and shares.iloc[0] >= LEAST_MAJORITY:
                count.add(name.text, name.words, says(str(shares.index[0])))
    return count


def days(frame: pd.DataFrame, baseline: Baseline, domain: str, seeds: range) -> Count:
    """The largest group of what changed on days half of which come from another domain."""
    count = Count()
    crowd = frame[frame["domain"] == "clothing_crowd"]
    others = frame[frame["domain"] == domain]
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for share in (0.2, 0.5) if domain == "grocery_store" else (0.5,):
            n = round(N_WINDOW * share)
            new = others.iloc[rng.permutation(len(others))[:n]]
            calm = crowd.iloc[rng.permutation(len(crowd))[: N_WINDOW - n]]
            day = pd.concat([new, calm], ignore_index=True)
            (window,) = monitor.detect_drift(day, baseline, alpha=1 / 730).windows
            if ShiftKind.NEW_CONTENT not in window.kinds or not window.groups:
                continue
            largest = [int(row.example.row) for row in window.changed if row.group == 0]
            shares = pd.Series(day["label"].to_numpy()[largest]).value_counts()
            right = says(str(shares.index[0]))
            right += GROCERIES if domain == "grocery_store" else CHILDREN
            count.add(window.groups[0].name, window.groups[0].words, right)
    return count


def _random_copy(folder: Path) -> str:
    """The compact model's architecture with random weights, as a model in a folder."""
    import shutil
    import sys

    from safetensors.torch import save_file

    import monitor.encoders

    sys.path.append(str(Path(__file__).parents[2]))
    from training.student import new_student

    compact = Path(monitor.encoders.__file__).parent / "compact"
    shutil.copy(compact / "open_clip_config.json", folder)
    state = new_student(seed=99).eval().state_dict()
    save_file(
        {key: value.contiguous() for key, value in state.items()},
        folder / "open_clip_model.safetensors",
    )
    return f"local-dir:{folder}"


def _feature(model: str) -> monitor.ImageEmbedding:
    return monitor.ImageEmbedding(
        name="photos", source_column="image", column="vector", model=model, n_clusters=15
    )


def _counted(frame: pd.DataFrame, model: str, seeds: range, title: str) -> None:
    feature = _feature(model)
    is_grocery = frame["domain"].str.startswith("grocery_store")
    crowd = frame[frame["domain"] == "clothing_crowd"]
    print(clusters(crowd, feature, seeds).line(f"{title}: clusters of clothes"))
    print(clusters(frame[is_grocery], feature, seeds).line(f"{title}: clusters of groceries"))
    baseline = monitor.fit_baseline(
        crowd.iloc[np.random.default_rng(0).permutation(len(crowd))[:N_BASELINE]],
        feature,
        learn_changes=False,
    )
    print(days(frame, baseline, "grocery_store", seeds).line(f"{title}: grocery days"))
    print(days(frame, baseline, "clothing_kids", seeds).line(f"{title}: kids' days"), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--work", type=Path, help="a folder in which vectors are kept")
    parser.add_argument("--control", type=int, default=1_200, help="photos of the control")
    options = parser.parse_args()
    print("| names | asked for | right word in the best three | of the names given, right |")
    print("|---|---:|---:|---:|")
    frame = photos(options.work)
    _counted(frame, "compact", range(options.draws), "compact")
    with TemporaryDirectory() as folder:
        model = _random_copy(Path(folder))
        few = frame.sample(min(options.control, len(frame)), random_state=0)
        few = few.drop(columns=["vector", "vector_failure", "vector_quality"], errors="ignore")
        few["image"] = [str(data_folder() / "photos" / path) for path in few["path"]]
        policy = monitor.SourcePolicy(roots=[str(data_folder())])
        control = monitor.embed(few, _feature(model), policy=policy, progress=False)
        _counted(control, model, range(min(options.draws, 2)), "random weights")


if __name__ == "__main__":
    main()
