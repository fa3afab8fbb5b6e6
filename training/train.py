"""Train the student on the cached views.

    python -m training.train --cache DIR --work DIR --out monitor/encoders/compact

Every step draws its batch and its captions from a generator seeded by (seed, step), and a
checkpoint is written every 100 steps: a broken-off run goes on as if it had not stopped.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.cache import VIEW_SIZE
from training.captions import Facts, draw_class_prompts, truth_table, write_caption
from training.student import export, new_student, new_tokenizer, read_config
from training.validate import Validation

WEIGHT_COSINE = 16.0
WEIGHT_RELATION = 24.0
WEIGHT_CAPTION = 0.3
WEIGHT_CLASS = 1.5
# How often a view is drawn, by its source. Photos are hardest to learn, and what the benchmark
# asks for; degraded views of them count half, so that most of the time is spent on clear ones.
SOURCE_WEIGHTS = {"photo": 1.0, "small": 0.45, "scene": 0.6, "mix": 0.35}
EMA_DECAY = 0.998
FULL_SIZE: int = read_config()["model_cfg"]["vision_cfg"]["image_size"]
# Most steps see smaller views, which cost half as much; the last ones see the full size.
SMALL_SIZE = 96
CHECKPOINT_EVERY = 100


class Cache:
    """All shards in memory, with the teacher's vectors as unit vectors of the student's width."""

    def __init__(self, folder: Path, projection_file: Path, width: int) -> None:
        views, targets, kinds, self.facts = [], [], [], []
        for path in sorted(folder.glob("shard_???.npz")):
            with np.load(path, allow_pickle=False) as shard:
                views.append(shard["views"])
                targets.append(shard["targets"].astype(np.float32))
                kinds += shard["kinds"].tolist()
                self.facts += [frozenset(item) for item in json.loads(str(shard["facts"]))]
        self.views = np.concatenate(views)
        # Kept beside the checkpoint: a run that goes on with more shards must not turn its axes.
        if not projection_file.exists():
            Projection.fit(np.concatenate(targets), width).save(projection_file)
        self.projection = Projection.load(projection_file)
        self.targets = self.projection(np.concatenate(targets))
        labels = [
            next((fact[6:] for fact in facts if fact.startswith("label:")), "")
            for facts in self.facts
        ]
        weights = np.array([SOURCE_WEIGHTS[kind] for kind in kinds])
        clear = np.array(["state:clean" in facts for facts in self.facts])
        weights[(np.array(kinds) == "photo") & ~clear] *= 0.5
        self.chances = weights / weights.sum()
        self.classes = sorted(set(labels) - {""})
        self.labels = np.array([self.classes.index(x) if x else -1 for x in labels])


@dataclass
class Projection:
    """Centring and principal axes: what of the teacher's geometry fits the student's width."""

    mean: np.ndarray
    axes: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray, width: int) -> Projection:
        """The first `width` principal axes of the features."""
        mean = features.mean(0)
        centred = (features - mean).astype(np.float64)
        _, vectors = np.linalg.eigh(centred.T @ centred)
        return cls(mean, vectors[:, ::-1][:, :width].astype(np.float32))

    @classmethod
    def load(cls, path: Path) -> Projection:
        """Read a stored projection."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["mean"], arrays["axes"])

    def save(self, path: Path) -> None:
        """Store the projection as plain arrays."""
        np.savez(path, mean=self.mean, axes=self.axes)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        rows = (features - self.mean) @ self.axes
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def crop_batch(views: np.ndarray, size: int, rng: np.random.Generator) -> Tensor:
    """Shifted and flipped crops of stored views, scaled to [-1, 1].

    At a smaller size the whole view shrinks, so that the crop shows as much of it.
    """
    side = round(VIEW_SIZE * size / FULL_SIZE)
    if side < VIEW_SIZE:
        whole = torch.from_numpy(views).permute(0, 3, 1, 2).float()
        whole = F.interpolate(whole, size=(side, side), mode="bilinear", antialias=True)
        views = whole.round().byte().permute(0, 2, 3, 1).numpy()
    batch = np.empty((len(views), size, size, 3), np.uint8)
    for row, view in enumerate(views):
        top, left = rng.integers(side - size + 1, size=2)
        crop = view[top : top + size, left : left + size]
        batch[row] = crop[:, ::-1] if rng.random() < 0.5 else crop
    pixels = torch.from_numpy(batch).permute(0, 3, 1, 2).float()
    gain = torch.from_numpy(rng.normal(1, 0.03, (len(views), 3, 1, 1)).astype(np.float32))
    return (pixels * gain).div_(127.5).sub_(1.0).contiguous(memory_format=torch.channels_last)


def several_positives(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy where every true column of a row is an equally good answer."""
    rows = truth.any(1)
    share = truth[rows].float() / truth[rows].sum(1, keepdim=True)
    return -(share * logits[rows].log_softmax(1)).sum(1).mean()


def learning_rate(step: int, cycles: list[int], peak: float) -> float:
    """Cosine cycles with a short warm-up each."""
    for length in cycles:
        if step < length:
            warm = min(1.0, (step + 1) / min(200, 0.2 * length))
            return peak * warm * (0.5 + 0.5 * math.cos(math.pi * step / length)) + 1e-6
        step -= length
    return 1e-6


@dataclass
class Batch:
    """Inputs and targets of one step."""

    pixels: Tensor
    targets: Tensor
    tokens: Tensor  # captions first, then one prompt per class
    told: Tensor  # images about which something can be said
    truth: Tensor  # told images x captions
    labels: Tensor  # class, or -1


class Run:
    """The state of a training run."""

    def __init__(self, cache: Cache, options: argparse.Namespace) -> None:
        self.cache, self.options = cache, options
        self.model = new_student(options.seed).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).eval()
        self.tokenizer = new_tokenizer()
        self.seen = torch.zeros(self.model.vocab_size, dtype=torch.bool)
        decayed, plain = [], []
        for name, value in self.model.named_parameters():
            skip = value.ndim < 2 or "embedding" in name
            (plain if skip else decayed).append(value)
        groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
        self.step = 0
        self.worker = ThreadPoolExecutor(1)
        self.ahead: Future[Batch] | None = None

    def draw(self, step: int) -> Batch:
        """The batch of a step, always the same for the same step."""
        rng = np.random.default_rng([self.options.seed, step])
        cache = self.cache
        rows = rng.choice(len(cache.views), self.options.batch, replace=False, p=cache.chances)
        size = SMALL_SIZE if step < self.options.small_until else FULL_SIZE
        pixels = crop_batch(cache.views[rows], size, rng)
        facts = [cache.facts[row] for row in rows]
        texts, stated = write_captions(facts, rng)
        tokens = self.tokenizer(texts + draw_class_prompts(cache.classes, rng))
        told = torch.tensor([bool(item) for item in facts])
        truth = torch.from_numpy(truth_table(facts, stated))[told]
        labels = torch.from_numpy(cache.labels[rows])
        return Batch(pixels, torch.from_numpy(cache.targets[rows]), tokens, told, truth, labels)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """The loss of a batch, and its parts for the log."""
        model = self.model
        image = model.encode_image(batch.pixels, normalize=True)
        cosine = 1 - (image * batch.targets).sum(1).mean()
        relation = (image @ image.T - batch.targets @ batch.targets.T).square().mean()

        self.seen[batch.tokens.unique()] = True
        words = model.encode_text(batch.tokens, normalize=True)
        logits = model.logit_scale.exp() * image @ words.T
        captions = batch.truth.shape[1]
        pairs = logits[batch.told, :captions]
        caption = several_positives(pairs, batch.truth)
        caption = caption + several_positives(pairs.T, batch.truth.T)
        named = batch.labels >= 0
        label = F.cross_entropy(
            logits[named][:, captions:], batch.labels[named], label_smoothing=0.05
        )
        loss = (
            WEIGHT_COSINE * cosine
            + WEIGHT_RELATION * relation
            + WEIGHT_CAPTION * caption
            + WEIGHT_CLASS * label
        )
        parts = {"cos": cosine, "rel": relation, "caption": caption, "label": label}
        return loss, {name: float(value.detach()) for name, value in parts.items()}

    def advance(self) -> dict[str, float]:
        """One optimiser step; the next batch is drawn meanwhile."""
        batch = (self.ahead or self.worker.submit(self.draw, self.step)).result()
        self.ahead = self.worker.submit(self.draw, self.step + 1)
        self.model.train()
        rate = learning_rate(self.step, self.options.cycles, self.options.rate)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss, parts = self.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimizer.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0, math.log(100))
            keep = min(EMA_DECAY, (self.step + 1) / (self.step + 10))
            current = self.model.state_dict()
            for name, value in self.average.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(current[name], 1 - keep)
                else:
                    value.copy_(current[name])
        self.step += 1
        return parts

    def save(self, path: Path) -> None:
        """Write everything needed to go on."""
        part = path.with_suffix(".part")
        torch.save(
            {
                "step": self.step,
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "seen": self.seen,
            },
            part,
        )
        part.rename(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, weights_only=True)
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.seen = state["seen"]


def write_captions(facts: list[Facts], rng: np.random.Generator) -> tuple[list[str], list[Facts]]:
    """A caption for every image about which one can be written."""
    texts, stated = [], []
    for known in facts:
        if known:
            text, claim = write_caption(known, rng)
            if claim:
                texts.append(text)
                stated.append(claim)
    return texts, stated


def main() -> None:
    """Run the training."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, required=True, help="folder of training.cache")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and log")
    parser.add_argument("--out", type=Path, required=True, help="folder of the exported model")
    parser.add_argument("--cycles", type=int, nargs="+", default=[400, 5200])
    parser.add_argument("--small-until", type=int, default=4400, help="step of the full size")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--export-every", type=int, default=400)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    width = read_config()["model_cfg"]["embed_dim"]
    cache = Cache(options.cache, options.work / "projection.npz", width)
    print(f"{len(cache.views)} views, {len(cache.classes)} classes", flush=True)
    validation = Validation(cache.projection, options.work / "validation.npz")
    run = Run(cache, options)
    checkpoint = options.work / "checkpoint.pt"
    if checkpoint.exists():
        run.restore(checkpoint)
    total = sum(options.cycles)
    ends = np.cumsum(options.cycles).tolist()
    begun, first = time.time(), run.step
    while run.step < total:
        parts = run.advance()
        if run.step % 25 == 0:
            speed = (run.step - first) * options.batch / (time.time() - begun)
            figures = " ".join(f"{name} {value:.3f}" for name, value in parts.items())
            scale = float(run.model.logit_scale.detach().exp())
            print(f"{run.step}/{total} {figures} scale {scale:.1f} {speed:.0f}/s", flush=True)
        if run.step % CHECKPOINT_EVERY == 0 or run.step == total:
            run.save(checkpoint)
        if run.step in ends or run.step % options.export_every == 0:
            export(run.average.state_dict(), run.seen, options.out)
            print(f"{run.step} validation {validation.figures(run.average)}", flush=True)


if __name__ == "__main__":
    main()
