"""The sections of a schedule: `data.production`, `schedule` and `store`."""

import pytest

from monitor.config import MonitoringConfig
from monitor.errors import ConfigError

VECTORS = {"name": "photo", "type": "FROM_VECTOR", "column": "embedding"}
FILES = {"path": "train.parquet"}
QUERY = {"query": "SELECT 1", "url": "sqlite:///a.db", "timestamp_column": "ts"}


def config_of(production=None, **changes):
    data = {
        "baseline": FILES,
        "production": production or {"path": "p.csv", "timestamp_column": "ts"},
    }
    return MonitoringConfig.from_dict(
        {"features": [VECTORS], "data": data, **changes}, folder="home"
    )


def test_defaults():
    config = config_of()
    assert config.schedule.catchup == "latest"
    assert config.schedule.timezone == "UTC"
    assert config.schedule.evaluation_delay is None
    assert config.store_url == "sqlite:///home/.monitor/monitor.db"


def test_they_go_round_through_yaml(tmp_path):
    config = config_of(
        QUERY,
        drift={"every": "1d"},
        schedule={
            "timezone": "Asia/Kolkata", "start": "2026-03-01", "catchup": "all",
            "allowed_lateness": "2d", "rolling_baseline": {"window": "28d", "offset": "1w"},
        },
        store={"url": "sqlite:///kept.db"},
    )  # fmt: skip
    path = tmp_path / "monitor.yaml"
    path.write_text(config.to_yaml(), encoding="utf-8")
    assert MonitoringConfig.load(path).to_dict() == config.to_dict()


@pytest.mark.parametrize(
    ("production", "message"),
    [
        ({"timestamp_column": "ts"}, r"production\.path: is missing: add it, or images, query"),
        ({"path": "a.csv", "function": "a:b"}, "not path and function"),
        ({"query": "SELECT 1"}, "query and url go together"),
        ({"path": "a.csv", "url": "sqlite://"}, "query and url go together"),
    ],
)
def test_production_is_in_one_place(production, message):
    with pytest.raises(ConfigError, match=message):
        config_of(production)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (
            {"timezone": "Europe/Atlantis"},
            r"schedule\.timezone: 'Europe/Atlantis': no such time zone",
        ),
        ({"timezone": "../passwd"}, "no such time zone"),
        ({"catchup": "all"}, r"schedule\.start: is missing: catchup: all needs"),
        ({"catchup": "some"}, r"schedule\.catchup: 'some'"),
        ({"evaluation_delay": "1mo"}, "a month has no fixed length"),
        ({"allowed_lateness": "soon"}, "is not a length of time"),
        ({"lease_seconds": 0}, r"schedule\.lease_seconds: 0"),
        ({"max_attempts": 0}, r"schedule\.max_attempts: 0"),
        ({"rolling_baseline": {"offset": "1d"}}, r"rolling_baseline\.window: is missing"),
        ({"timezon": "UTC"}, "did you mean 'timezone'"),
    ],
)
def test_a_schedule_that_does_not_hold_is_told(schedule, message):
    with pytest.raises(ConfigError, match=message):
        config_of(schedule=schedule)


def test_where_the_store_is(monkeypatch):
    monkeypatch.setenv("PLACE", "there")
    assert (
        config_of(store={"url": "sqlite:///${PLACE}/a.db"}).store_url == "sqlite:///home/there/a.db"
    )
    assert config_of(store={"url": "sqlite:////abs/a.db"}).store_url == "sqlite:////abs/a.db"
    url = "postgresql+psycopg://me@db/monitor"
    assert config_of(store={"url": url}).store_url == url
