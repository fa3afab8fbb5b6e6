"""Weights of the hub: found in its cache, or a prompt and complete message."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from monitor.encoders import EncoderSpec, ImageSpace, ModelHandler, load_encoder
from monitor.encoders.imports import open_clip
from monitor.encoders.weights import (
    CONNECT_SECONDS,
    hub_checkpoint,
    hub_file,
    hub_snapshot,
    why_unreachable,
)
from monitor.errors import EncoderError, InvalidSpaceParamError, ModelNotFoundError
from monitor.testing import pictures

from .tiny import VIT, fresh, write_model

REPO = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"


def put_in_cache(cache: Path, repo: str, files: list[Path], revision: str = "a" * 40) -> None:
    """`files` as the hub's client would have cached them."""
    root = cache / f"models--{repo.replace('/', '--')}"
    (root / "refs").mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text(revision)
    snapshot = root / "snapshots" / revision
    snapshot.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, snapshot / file.name)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.fixture
def closed_door(monkeypatch: pytest.MonkeyPatch) -> int:
    """An address of this machine where nobody answers, in place of the hub's."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return port


@pytest.mark.usefixtures("offline")
class TestOffline:
    def test_tag_says_what_to_download_and_where_to_put_it(self, tmp_path: Path) -> None:
        spec = EncoderSpec(
            handler=ModelHandler.OPEN_CLIP,
            model="ViT-B-32",
            pretrained="laion2b_s34b_b79k",
            model_cache_dir=str(tmp_path),
        )
        with pytest.raises(ModelNotFoundError) as caught:
            load_encoder(spec)
        message = str(caught.value)
        for part in (
            REPO,
            "open_clip_model.safetensors",
            "HF_HUB_OFFLINE",
            "hf download",
            str(tmp_path),
            f"/{REPO}/resolve/main/open_clip_model.safetensors",
            "pretrained='/path/open_clip_model.safetensors'",
        ):
            assert part in message

    def test_hub_model(self, tmp_path: Path) -> None:
        spec = EncoderSpec(
            handler=ModelHandler.OPEN_CLIP, model="hf-hub:org/name", model_cache_dir=str(tmp_path)
        )
        with pytest.raises(ModelNotFoundError, match="'org/name' is not on this machine"):
            load_encoder(spec)
        space = ImageSpace("image_url", model="hf-hub:org/name", model_cache_dir=tmp_path)
        with pytest.raises(ModelNotFoundError, match="open_clip_config"):
            _ = space.length

    @pytest.mark.parametrize("repo", ["", "a/b/c", "../up"])
    def test_name_that_is_no_repository(self, repo: str, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFoundError):
            hub_file(repo, ("file",), str(tmp_path))

    def test_cached_hub_model_is_the_local_one(self, tmp_path: Path) -> None:
        folder = write_model(tmp_path / "model", VIT)
        put_in_cache(tmp_path / "cache", "org/name", list(folder.iterdir()))
        spec = EncoderSpec(
            handler=ModelHandler.OPEN_CLIP,
            model="hf-hub:org/name",
            model_cache_dir=str(tmp_path / "cache"),
            device="cpu",
        )
        local = fresh(spec.model_copy(update={"model": f"local-dir:{folder}"}))
        encoder = fresh(spec)
        images = pictures(3)
        assert encoder.fingerprint == local.fingerprint
        assert (encoder.encode_images(images) == local.encode_images(images)).all()
        assert (encoder.encode_texts(["a cat"]) == local.encode_texts(["a cat"])).all()
        space = ImageSpace("image_url", model=spec.model, model_cache_dir=tmp_path / "cache")
        assert space.length == VIT["embed_dim"]

    def test_a_revision_is_kept_to(self, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        older, newer = (write_model(tmp_path / name, VIT) for name in ("older", "newer"))
        for folder, commit in ((older, "a" * 40), (newer, "b" * 40)):
            put_in_cache(cache, "org/name", list(folder.iterdir()), commit)
        found = {
            revision: hub_snapshot("org/name", str(cache), revision).name
            for revision in (None, "a" * 40, "main")
        }
        assert found == {None: "b" * 40, "a" * 40: "a" * 40, "main": "b" * 40}
        space = ImageSpace(
            "image_url", model="hf-hub:org/name", revision="a" * 40, model_cache_dir=cache
        )
        assert ImageSpace.from_dict(space.to_dict()).spec.revision == "a" * 40
        assert space.length == VIT["embed_dim"]
        for files in ({"model": "compact"}, {"model": "ViT-B-32", "pretrained": str(older)}):
            with pytest.raises(
                InvalidSpaceParamError, match="comes from no hub; leave revision out"
            ):
                ImageSpace("image_url", revision="main", **files)
        gone = space.spec.model_copy(update={"revision": "c" * 40})
        with pytest.raises(
            ModelNotFoundError, match=f"'org/name' at revision '{'c' * 40}'.*--revision"
        ):
            load_encoder(gone)

    def test_a_fingerprint_is_kept_to(self, tmp_path: Path) -> None:
        spec = EncoderSpec(
            handler=ModelHandler.OPEN_CLIP,
            model=f"local-dir:{write_model(tmp_path / 'model', VIT)}",
            device="cpu",
        )
        own = load_encoder(spec).fingerprint
        assert load_encoder(spec.model_copy(update={"fingerprint": own})).fingerprint == own
        other = spec.model_copy(update={"fingerprint": "ViT-32px-64d:0123"})
        with pytest.raises(EncoderError, match=f"has the fingerprint {own}, not the pinned"):
            load_encoder(other)

    def test_older_weights_file(self, tmp_path: Path) -> None:
        (tmp_path / "open_clip_pytorch_model.bin").write_bytes(b"")
        (tmp_path / "open_clip_config.json").write_text("{}")
        put_in_cache(tmp_path / "cache", "org/name", list(tmp_path.glob("open_clip*")))
        assert (
            hub_snapshot("org/name", str(tmp_path / "cache")) / "open_clip_config.json"
        ).exists()


@pytest.fixture
def tagged(
    offline: None, tiny_architectures: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A cache with weights for ``tiny-vit`` under a tag with a preprocessing of its own."""
    tag = {
        "hf_hub": "org/name/",
        "mean": (0.1, 0.2, 0.3),
        "std": (0.5, 0.6, 0.7),
        "interpolation": "bilinear",
        "resize_mode": "squash",
    }
    table = open_clip.pretrained._PRETRAINED
    monkeypatch.setitem(table, "tiny-vit", {"mine": tag, "quick": tag | {"quick_gelu": True}})
    put_in_cache(tmp_path / "cache", "org/name", list(write_model(tmp_path / "m", VIT).iterdir()))
    return tmp_path / "cache"


class TestTag:
    def spec(self, cache: Path, tag: str) -> EncoderSpec:
        return EncoderSpec(
            handler=ModelHandler.OPEN_CLIP,
            model="tiny-vit",
            pretrained=tag,
            model_cache_dir=str(cache),
            device="cpu",
        )

    def test_equals_open_clip_with_the_same_tag(self, tagged: Path) -> None:
        net, transform = open_clip.create_model_from_pretrained(
            "tiny-vit", "mine", cache_dir=str(tagged)
        )
        encoder = load_encoder(self.spec(tagged, "mine"))
        images = pictures(12)
        for image in images:
            values = encoder.pixel_values([encoder.preprocess(image)])[0]
            assert torch.equal(values, transform(image))
        with torch.no_grad():
            batch = torch.stack([transform(image) for image in images])
            theirs = net.eval().encode_image(batch, normalize=True).numpy()
        assert (encoder.encode_images(images) * theirs).sum(axis=1).min() >= 0.999999

    def test_weights_trained_with_another_activation(self, tagged: Path) -> None:
        with pytest.warns(UserWarning, match=r"'quick' were trained with QuickGELU.*'tiny-vit-qui"):
            load_encoder(self.spec(tagged, "quick"))


class TestDownload:
    """What happens when the hub can be reached; its client is replaced."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
        """The files asked for; the hub has only those whose name ends in ``.bin``."""
        asked: list[str] = []

        def download(
            repo: str, filename: str, cache_dir: str | None, revision: str | None, **options: Any
        ) -> str:
            if options["local_files_only"]:
                raise LocalEntryNotFoundError("not cached")
            asked.append(filename)
            if repo == "org/broken":
                raise OSError("connection reset\nwith details")
            if not filename.endswith(".bin"):
                raise EntryNotFoundError("404")
            return str(tmp_path / filename)

        monkeypatch.setattr("monitor.encoders.weights._download", download)
        monkeypatch.setattr("monitor.encoders.weights.why_unreachable", lambda: "")
        return asked

    @pytest.mark.parametrize(
        ("named", "tried"),
        [
            ("", ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]),
            ("special.bin", ["special.safetensors", "special.bin"]),
        ],
    )
    def test_safetensors_first(
        self, asked: list[str], tmp_path: Path, named: str, tried: list[str]
    ) -> None:
        assert hub_checkpoint("org/name", named, None) == tmp_path / tried[-1]
        assert asked == tried

    def test_the_commit_that_came_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = "d" * 40

        def download(*_: Any, local_files_only: bool) -> str:
            if local_files_only:
                raise LocalEntryNotFoundError("not cached")
            return str(tmp_path / commit / "a.bin")

        monkeypatch.setattr("monitor.encoders.weights._download", download)
        monkeypatch.setattr("monitor.encoders.weights.why_unreachable", lambda: "")
        with pytest.warns(UserWarning, match=f"set revision='{commit}' to have the same weights"):
            hub_file("org/name", ("a.bin",), None)
        assert hub_file("org/name", ("a.bin",), None, commit).name == "a.bin"

    def test_a_repository_without_the_file(self, asked: list[str]) -> None:
        with pytest.raises(ModelNotFoundError, match="the repository has no such file"):
            hub_file("org/name", ("a.json",), None)

    def test_a_broken_connection(self, asked: list[str]) -> None:
        with pytest.raises(ModelNotFoundError, match=r"cannot be fetched: connection reset\. On"):
            hub_file("org/broken", ("a.json",), None)


class TestNoNetwork:
    def test_gives_up_soon(
        self, closed_door: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dial, waits = socket.create_connection, []

        def dialled(address: Any, timeout: float | None = None, **options: Any) -> socket.socket:
            waits.append(timeout)
            return dial(address, timeout, **options)

        monkeypatch.setattr(socket, "create_connection", dialled)
        with pytest.raises(ModelNotFoundError, match=r"127\.0\.0\.1 cannot be reached"):
            hub_file(REPO, ("open_clip_model.safetensors",), str(tmp_path))
        # It knocked once, and would not have waited long for an answer.
        assert waits == [CONNECT_SECONDS]

    def test_an_open_door_is_no_obstacle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
            port = server.getsockname()[1]
            monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
            monkeypatch.setattr("monitor.encoders.weights.getproxies", dict)
            assert why_unreachable() == ""

    def test_a_proxy_is_asked_instead(
        self, closed_door: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid")
            proxies = {"https": f"http://127.0.0.1:{port}"}
            monkeypatch.setattr("monitor.encoders.weights.getproxies", lambda: proxies)
            monkeypatch.setattr("monitor.encoders.weights.proxy_bypass", lambda host: False)
            assert why_unreachable() == ""
