"""Captions with known truth.

An image carries a set of facts ("label:dress", "place:shop", "state:blurry"). A caption states
some of them. So for every image and every caption it is known whether the caption holds, and the
contrastive loss can treat each pair rightly instead of calling all but one caption wrong.
"""

from __future__ import annotations

import numpy as np

from training.data import Photo

Facts = frozenset[str]

CLOTHING = (
    "dress",
    "hat",
    "longsleeve",
    "outwear",
    "pants",
    "shirt",
    "shoes",
    "shorts",
    "skirt",
    "t-shirt",
)
CARTONS = (
    "juice",
    "milk",
    "oat-milk",
    "oatghurt",
    "sour-cream",
    "sour-milk",
    "soy-milk",
    "soyghurt",
    "yoghurt",
)
# The first name is the one the benchmark asks with; the others widen what the text tower knows.
NAMES: dict[str, tuple[str, ...]] = {
    "longsleeve": ("longsleeve", "long-sleeved shirt", "long sleeve top", "sweater"),
    "outwear": ("outwear", "jacket", "coat", "outerwear"),
    "pants": ("pants", "trousers", "pair of jeans"),
    "shoes": ("shoes", "pair of shoes", "shoe", "sneakers"),
    "shorts": ("shorts", "pair of shorts"),
    "t-shirt": ("t-shirt", "tee", "tshirt"),
    "hat": ("hat", "cap"),
    "shirt": ("shirt", "button-up shirt"),
    "juice": ("juice", "juice carton", "carton of juice"),
    "milk": ("milk", "milk carton", "carton of milk"),
    "yoghurt": ("yoghurt", "yogurt", "yoghurt carton"),
    "aubergine": ("aubergine", "eggplant"),
    "pepper": ("pepper", "bell pepper"),
    "zucchini": ("zucchini", "courgette"),
    "red-beet": ("red-beet", "beetroot"),
}
STATES: dict[str, tuple[str, ...]] = {
    "clean": ("clear", "sharp", "good"),
    "blurry": ("blurry", "blurred", "out-of-focus"),
    "dark": ("dark", "underexposed", "darkened"),
    "bright": ("bright", "overexposed"),
    "noisy": ("noisy", "grainy"),
    "pixelated": ("pixelated", "blocky"),
    "compressed": ("badly compressed", "compressed"),
    "grey": ("black and white", "grey", "grayscale"),
    "tiny": ("low-resolution", "tiny", "small"),
}
_KINDS: dict[str, tuple[str, ...]] = {
    "clothing": ("clothes", "clothing", "a piece of clothing", "a garment"),
    "produce": ("fruit or vegetables", "fresh produce", "produce"),
    "carton": ("a carton", "packaged food", "a drink carton", "a package"),
}


def photo_facts(photo: Photo) -> Facts:
    """What index.csv says about a photo."""
    facts = {f"label:{photo.label}", "medium:photo"}
    if photo.domain.startswith("clothing"):
        facts.add("kind:clothing")
        if photo.domain == "clothing_kids":
            facts.add("for:children")
    else:
        facts.add("kind:carton" if photo.label in CARTONS else "kind:produce")
        facts.add("kind:groceries")
        facts.add("place:shop" if photo.domain == "grocery_store" else "place:catalogue")
    return frozenset(facts)


def with_article(noun: str) -> str:
    """The noun with the indefinite article a caption would use."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def class_prompt(label: str) -> str:
    """The zero-shot prompt of a class name."""
    return f"a photo of {with_article(label)}"


def draw_class_prompts(labels: list[str], rng: np.random.Generator) -> list[str]:
    """One prompt per class, all in the same drawn wording."""
    wording = str(rng.choice(["prompt", "photo", "article", "bare"], p=[0.6, 0.15, 0.1, 0.15]))
    if wording == "prompt":
        return [class_prompt(label) for label in labels]
    if wording == "photo":
        return [f"a photo of {label}" for label in labels]
    return [with_article(label) if wording == "article" else label for label in labels]


def write_caption(facts: Facts, rng: np.random.Generator) -> tuple[str, Facts]:
    """A caption for an image with these facts, and the facts it states."""
    stated: set[str] = set()
    by_key: dict[str, list[str]] = {}
    for fact in sorted(facts):
        key, value = fact.split(":", 1)
        by_key.setdefault(key, []).append(value)

    def pick(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))] if rng.random() < 0.6 else words[0]

    medium = "photo"
    if "scene" in by_key:
        medium = str(rng.choice(["drawing", "picture", "picture", "photo"]))
    states = by_key.get("state", [])
    word = ""
    if states and rng.random() < (0.35 if states == ["clean"] else 0.65):
        state = str(rng.choice(states))
        stated.add(f"state:{state}")
        word = pick(STATES[state])
    head = with_article(f"{word} {medium}" if word else medium)
    if rng.random() < 0.1 and word:
        return head, frozenset(stated)

    if "scene" in by_key:
        scene = str(rng.choice(by_key["scene"]))
        stated.add(f"scene:{scene}")
        text = scene if not word and rng.random() < 0.3 else f"{head} of {scene}"
        return text, frozenset(stated)
    if "label" not in by_key:
        return head, frozenset(stated)

    kinds = by_key["kind"]
    if rng.random() < 0.8:
        label = by_key["label"][0]
        stated.add(f"label:{label}")
        noun = pick(NAMES.get(label, (label, label.replace("-", " "))))
        # Class names are asked for with and without an article, and many of them take none.
        thing = noun if rng.random() < 0.3 else with_article(noun)
    else:
        kind = str(rng.choice(kinds))
        stated.add(f"kind:{kind}")
        thing = "groceries" if kind == "groceries" else pick(_KINDS[kind])
    if "for" in by_key and rng.random() < 0.5:
        stated.add("for:children")
        if any(fact.startswith("kind") for fact in stated):
            thing = str(rng.choice(["children's clothes", "kids clothing"]))
        else:
            thing += str(rng.choice([" for children", " for kids", " for a child"]))
    if "place" in by_key and rng.random() < 0.35:
        place = by_key["place"][0]
        stated.add(f"place:{place}")
        if place == "shop":
            thing += str(rng.choice([" in a grocery store", " in a shop", " in a supermarket"]))
        else:
            thing += str(rng.choice([" on a white background", " in a catalogue"]))
    if not word and rng.random() < 0.15:
        return thing, frozenset(stated)
    return f"{head} of {thing}", frozenset(stated)


def truth_table(images: list[Facts], captions: list[Facts]) -> np.ndarray:
    """Which caption holds for which image: a caption holds when all it states is a fact."""
    return np.array([[stated <= facts for stated in captions] for facts in images], dtype=bool)
