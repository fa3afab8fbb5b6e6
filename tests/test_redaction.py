"""What is shown of a URL holds no secret."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.redaction import LONGEST, redact_url, shorten

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
