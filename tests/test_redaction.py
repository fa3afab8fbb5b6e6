"""What is shown of a URL holds no secret."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import monitor
from monitor.images import SourcePolicy
from monitor.redaction import LONGEST, full_url, redact_url, shorten, unsigned

from .images.pictures import PNG
from .images.servers import Server, answer

PARTS = st.text(alphabet="ab1:/?#[]%.\\ \n", max_size=8)


# How fast examples are made depends on what else the machine does.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    scheme=st.sampled_from(["http://", "HTTPS://", "http:/", "http:", "//", "ftp://", "s3://"]),
    user=PARTS.map(lambda text: text.replace("?", "").replace("#", "")),
    tail=PARTS,
)
def test_passwords_and_queries_are_not_shown(scheme: str, user: str, tail: str) -> None:
    urls = [
        f"{scheme}me:HUNTER2@example.com/{tail}",
        f"{scheme}HUNTER2@example.com/{tail}",
        f"{scheme}example.com/a?{user}HUNTER2{tail}",
        f"{scheme}example.com/a#{user}HUNTER2{tail}",
        f"{scheme}example.com:HUNTER2{tail}",
    ]
    for url in urls:
        assert "HUNTER2" not in redact_url(url)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(max_size=250))
def test_what_is_shown_is_short_and_printable(text: str) -> None:
    for shown in (redact_url(text), shorten(text), shorten(text * 3)):
        assert len(shown) <= LONGEST
        assert shown.isprintable()


def test_hosts_and_paths_are_shown() -> None:
    for url in (
        "https://example.com/@me/a.jpg",
        "http://[2606:4700::1]:8080/a:b/c",
        "http://example.com:80/a",
        "s3://bucket/key",
    ):
        assert redact_url(url) == url


SIGNED = {
    "https://b.s3.amazonaws.com/a.jpg?X-Amz-Algorithm=AWS4&X-Amz-Credential=AKIA%2F1&X-Amz-Signature=0f1e": (
        "https://b.s3.amazonaws.com/a.jpg"
    ),
    "https://storage.googleapis.com/b/a.jpg?X-Goog-Signature=ab&X-Goog-Date=1&generation=7": (
        "https://storage.googleapis.com/b/a.jpg?generation=7"
    ),
    "https://x.blob.core.windows.net/c/a.jpg?sv=2024&sp=r&sig=abc%3D": (
        "https://x.blob.core.windows.net/c/a.jpg?sv=2024&sp=r"
    ),
    "https://cdn.test/a.jpg?AWSAccessKeyId=A&Expires=1&Signature=b": "https://cdn.test/a.jpg?Expires=1",
    "https://cdn.test/a.jpg?Policy=e&Signature=b&Key-Pair-Id=K&w=3": "https://cdn.test/a.jpg?w=3",
    "https://cdn.test/a.jpg?w=300&access_token=t&API_KEY=k#top": "https://cdn.test/a.jpg?w=300#top",
    "https://img.test/a.jpg?s=0123456789abcdef0123456789abcdef": "https://img.test/a.jpg",
    "s3://bucket/a.jpg?token=abc": "s3://bucket/a.jpg",
}


@pytest.mark.parametrize("url", SIGNED)
def test_signatures_are_removed_and_remembered_in_this_process(url: str) -> None:
    left = unsigned(url)
    assert left == SIGNED[url]
    assert full_url(left) == url
    # What is written is what is left.
    assert json.loads(json.dumps(left)) == SIGNED[url]
    assert f"{left}" == SIGNED[url]
    assert unsigned(left) == left


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.test/a.jpg?w=300&h=200&s=80&v=12",
        "https://cdn.test/a.jpg",
        "photos/a?sig=1.jpg",
        "data:image/png;base64,AAAA",
        "https://cdn.test/a.jpg?name=a+b&page=2",
        "",
    ],
)
def test_what_is_no_signature_stays(url: str) -> None:
    assert unsigned(url) is url
    assert full_url(url) is url


def test_a_policy_can_name_more() -> None:
    url = "https://cdn.test/a.jpg?our_private=1&w=3"
    assert unsigned(url) is url
    SourcePolicy(secret_parameters=["Our_Private"])
    assert unsigned(url) == "https://cdn.test/a.jpg?w=3"


def test_no_signature_is_in_a_baseline_or_a_report(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with Server({"*": answer(PNG)}) as server:
        urls = [f"{server.url}/{i}.png?w=9&X-Amz-Signature=HUNTER2" for i in range(200)]
        table = pd.DataFrame({"url": urls, "v": list(rng.normal(size=(200, 4)).astype(np.float32))})
        feature = monitor.ImageEmbedding(
            name="photo", source_column="url", column="v", model="compact", n_clusters=2
        )
        baseline = monitor.fit_baseline(table, feature)
        baseline.save(tmp_path / "baseline.safetensors")
        report = monitor.detect_drift(table.assign(v=table.v + 3), baseline)
        report.to_json(tmp_path / "report.json")
        report.to_html(
            tmp_path / "report.html", policy=SourcePolicy(hosts=[server.host], allow_private=True)
        )
        report.to_markdown(tmp_path / "report.md")
        # The pictures were fetched with it.
        assert server.paths()
        assert all("X-Amz-Signature=HUNTER2" in path for path in server.paths())
    for file in tmp_path.iterdir():
        assert b"HUNTER2" not in file.read_bytes(), file.name
        assert b"X-Amz" not in file.read_bytes(), file.name
    assert b"w=9" in (tmp_path / "report.json").read_bytes()
