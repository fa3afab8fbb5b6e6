"""Figures on the validation photos, for decisions while the recipe is developed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image

from training.captions import CLOTHING, class_prompt
from training.data import data_root, read_photos, split_photos
from training.degrade import degrade
from training.measures import neighbour_accuracy
from training.student import new_tokenizer, read_config
from training.teacher import Teacher, whole_view


class Validation:
    """The validation photos, whole and degraded, with the teacher's vectors."""

    def __init__(self, projection: Callable[[np.ndarray], np.ndarray], store: Path) -> None:
        root = data_root()
        self.photos = split_photos(read_photos(root))[1]
        if store.exists():
            with np.load(store, allow_pickle=False) as arrays:
                features = dict(arrays)
        else:
            features = {}
        teacher = Teacher(root / "teacher" / "mobilenet_v1_float.npz").eval()
        rng = np.random.default_rng(0)
        whole = [Image.fromarray(whole_view(photo.open())) for photo in self.photos]
        self.views: dict[str, torch.Tensor] = {}
        self.targets: dict[str, np.ndarray] = {}
        size = read_config()["model_cfg"]["vision_cfg"]["image_size"]
        for state in ("whole", "blurry", "dark"):
            images = [im if state == "whole" else degrade(im, state, rng) for im in whole]
            if state not in features:
                features[state] = teacher.embed_arrays(np.stack([np.asarray(i) for i in images]))
            self.targets[state] = projection(features[state])
            small = [im.resize((size, size), Image.Resampling.BICUBIC) for im in images]
            pixels = torch.from_numpy(np.stack([np.asarray(im) for im in small]))
            self.views[state] = pixels.permute(0, 3, 1, 2).float().div(127.5).sub(1)
        np.savez(store, **features)

    def figures(self, model: open_clip.CLIP) -> str:
        """Cosine to the teacher, 5-NN accuracy of both, zero-shot accuracy."""
        words = []
        vectors = {}
        with torch.inference_mode():
            for state, views in self.views.items():
                parts = [model.encode_image(part, normalize=True) for part in views.split(64)]
                vectors[state] = torch.cat(parts).numpy()
                cosine = (vectors[state] * self.targets[state]).sum(1).mean()
                words.append(f"cos({state}) {cosine:.3f}")
            tokenizer = new_tokenizer()
            for name in ("clothing", "grocery_store"):
                pick = np.array([photo.domain.startswith(name) for photo in self.photos])
                labels = np.array([photo.label for photo in self.photos])[pick]
                classes = list(CLOTHING) if name == "clothing" else sorted(set(labels))
                student = neighbour_accuracy(vectors["whole"][pick], labels)
                teacher = neighbour_accuracy(self.targets["whole"][pick], labels)
                prompts = tokenizer([class_prompt(item) for item in classes])
                text = model.encode_text(prompts, normalize=True).numpy()
                best = np.array(classes)[(vectors["whole"][pick] @ text.T).argmax(1)]
                zero = (best == labels).mean()
                words.append(f"{name}: knn {student:.3f} of {teacher:.3f}, zero-shot {zero:.3f}")
        return " | ".join(words)
