"""The source policy: what it takes, what it refuses, and how it says so."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from monitor.errors import PolicyError
from monitor.images import SourcePolicy
from monitor.images.urls import Target, check_port, check_url


def test_lists_are_taken_for_tuples_and_the_policy_is_frozen() -> None:
    policy = SourcePolicy(
        schemes=["https"], hosts=["Example.com"], roots=["."], background=[0, 0, 0]
    )
    assert policy.hosts == ("example.com",)
    assert hash(policy) == hash(copy.deepcopy(policy))
    assert SourcePolicy(roots=[Path(".")]) == SourcePolicy(roots=["."])
    assert SourcePolicy.model_validate_json(policy.model_dump_json()) == policy
    with pytest.raises(ValidationError, match="frozen"):
        policy.max_bytes = 1


def test_keyword_only() -> None:
    with pytest.raises(TypeError):
        SourcePolicy(("http",))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_bytes": 0}, "max_bytes=0: must be greater than 0"),
        ({"max_bytes": -5}, "max_bytes=-5: must be greater than 0"),
        ({"max_bytes": True}, "max_bytes=True: expected a value, not true or false"),
        ({"deadline_seconds": float("nan")}, "deadline_seconds=nan: must be a finite number"),
        ({"deadline_seconds": float("inf")}, "finite number"),
        ({"deadline_seconds": 0}, "greater than 0"),
        ({"retries": -1}, "greater than or equal to 0"),
        ({"ports": [0]}, "ports\\[0\\]=0: must be greater than or equal to 1$"),
        ({"ports": [70_000]}, "less than or equal to 65535"),
        ({"ports": []}, "ports=\\[\\]: is too short: give at least 1"),
        (
            {"schemes": ["ftp"]},
            "schemes\\[0\\]='ftp': must be 'http', 'https', 'data', 'file', 's3', 'gs' or 'az'$",
        ),
        ({"schemes": []}, "give at least 1"),
        ({"background": [0, 0, 256]}, "less than or equal to 255"),
        ({"user_agent": "a\r\nX: b"}, "user_agent=.*: String should match"),
        (
            {"max_byte": 5},
            "max_byte=5: there is no such key; did you mean 'max_bytes'. allowed: schemes, hosts",
        ),
        ({"hosts": []}, "hosts is empty, so no host could be asked: name hosts, or leave it null"),
        ({"hosts": ["http://a.com/x"]}, "'http://a.com/x' is not a host: write 'example.com'"),
        ({"hosts": ["*"]}, "'*' is not a host"),
        ({"hosts": ["a.*.com"]}, "is not a host"),
        ({"hosts": ["a.com:0"]}, "'a.com:0' has no valid port: write a number from 1 to 65535"),
        ({"hosts": ["a.com:x"]}, "'a.com:x' is not a host"),
        ({"schemes": ["file"]}, "schemes names file but roots is empty.*name the folders in roots"),
        ({"schemes": ["s3"]}, "schemes names s3 but buckets is empty.*name the buckets"),
        ({"buckets": ["b"]}, "buckets names b but schemes names no object store: add one of s3"),
        ({"roots": [""]}, "roots holds an empty or invalid folder"),
        (
            {"deadline_seconds": 1, "connect_timeout_seconds": 2},
            r"connect_timeout_seconds \(2\) is longer than deadline_seconds \(1\): lower the first",
        ),
    ],
)
def test_each_fault_says_how_to_go_on(values: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        SourcePolicy(**values)
    with pytest.raises(ValueError, match=message):
        SourcePolicy(**values)


def test_inside_another_model_the_message_is_kept() -> None:
    class Config(BaseModel):
        images: SourcePolicy = SourcePolicy()

    with pytest.raises(ValueError, match="name the folders in roots"):
        Config.model_validate({"images": {"schemes": ["file"]}})
    assert Config.model_validate({"images": {"ports": [8080]}}).images.ports == (8080,)


def test_json_schema_describes_each_field() -> None:
    schema = SourcePolicy.model_json_schema()
    assert all(field.get("description") for field in schema["properties"].values())
    json.dumps(schema)


@pytest.mark.parametrize(
    ("hosts", "url", "expected"),
    [
        (None, "https://a.com/x", None),
        (None, "https://a.com:8443/x", "port"),
        (["a.com"], "http://a.com/x", None),
        (["a.com"], "http://A.COM./x", None),
        (["a.com"], "http://b.a.com/x", "host"),
        (["a.com"], "http://a.com.evil.com/x", "host"),
        (["a.com"], "http://eviла.com/x", "host"),
        (["a.com"], "http://a.com:8443/x", "port"),
        (["a.com:8443"], "http://a.com:8443/x", None),
        (["a.com:8443"], "http://a.com/x", "port"),
        (["a.com", "a.com:8443"], "http://a.com:8443/x", None),
        (["a.com", "a.com:8443"], "http://a.com/x", None),
        (["*.a.com"], "http://b.a.com/x", None),
        (["*.a.com"], "http://c.b.a.com/x", None),
        (["*.a.com"], "http://a.com/x", "host"),
        (["*.a.com"], "http://.a.com/x", "host"),
        (["*.a.com"], "http://evila.com/x", "host"),
        (["*.a.com:81"], "http://b.a.com:81/x", None),
        (["*.a.com:81"], "http://b.a.com/x", "port"),
        (["[::1]:81"], "http://[::1]:81/x", None),
        (["::1"], "http://[::1]/x", None),
    ],
)
def test_hosts_and_ports(hosts: list[str] | None, url: str, expected: str | None) -> None:
    policy = SourcePolicy(hosts=hosts)
    outcome = check_url(url, policy)
    if isinstance(outcome, Target):
        outcome = check_port(outcome, policy)
    assert getattr(outcome, "reason", None) == expected, outcome


def test_private_networks_use_any_port_unless_ports_are_named() -> None:
    private = SourcePolicy(allow_private=True)
    strict = SourcePolicy(allow_private=True, ports=[80])
    named = SourcePolicy(allow_private=True, hosts=["10.0.0.7", "10.0.0.8:9000"])
    for url, policy, reason in [
        ("http://10.0.0.7:9000/x", private, None),
        ("http://10.0.0.7:9000/x", strict, "port"),
        ("http://10.0.0.7:9000/x", named, None),
        ("http://10.0.0.8:9000/x", named, None),
        ("http://10.0.0.8:9001/x", named, "port"),
    ]:
        target = check_url(url, policy)
        assert isinstance(target, Target)
        assert getattr(check_port(target, policy), "reason", None) == reason, url


def test_policy_is_light() -> None:
    code = (
        "import sys, monitor.images.policy, monitor.images\n"
        "heavy = {'requests', 'urllib3', 'PIL', 'numpy', 'requests_hardened'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_missing_certificates_are_a_policy_error() -> None:
    from monitor.images import ImageReader

    with pytest.raises(PolicyError, match=r"ca_bundle '/no/ca.pem' does not exist: name a file"):
        ImageReader(SourcePolicy(ca_bundle="/no/ca.pem"))


def test_names_in_any_script_are_the_names_that_urls_have() -> None:
    policy = SourcePolicy(hosts=["München.example", "*.例え.jp:8080", "xn--bcher-kva.example"])
    assert policy.hosts == (
        "xn--mnchen-3ya.example",
        "*.xn--r8jz45g.jp:8080",
        "xn--bcher-kva.example",
    )
    for url in (
        "https://münchen.example/a",
        "https://MÜNCHEN.example/a",
        "http://a.例え.jp:8080/",
        "http://bücher.example/",
    ):
        assert isinstance(check_url(url, policy), Target), url
    with pytest.raises(PolicyError, match=r"'①②⑦\.example' is no name that a host can have"):
        SourcePolicy(hosts=["①②⑦.example"])
