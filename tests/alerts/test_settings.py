"""The `alerts` section: what it takes, what it says, and that it keeps its secrets."""

import traceback

import pytest

from monitor.alerts import AlertChannel, AlertsConfig, Severity
from monitor.config import MonitoringConfig
from monitor.errors import ConfigError

SECRET = "S3CRETTOKEN"
URL = f"slack://{SECRET}/abc"


def config_of(alerts):
    return MonitoringConfig.from_dict(
        {
            "features": [{"name": "photo", "type": "FROM_VECTOR", "column": "embedding"}],
            "data": {
                "baseline": {"path": "a.parquet"},
                "production": {"path": "b.parquet", "timestamp_column": "ts"},
            },
            "alerts": alerts,
        }
    )


def test_defaults():
    config = config_of({}).alerts
    assert config == AlertsConfig()
    assert config.channels == ()
    assert [(r.name, r.metric, str(r.severity)) for r in config.rules] == [
        ("drift", "verdict", "warning"),
        ("broken feed", "broken_feed", "critical"),
    ]


def test_goes_round_through_a_dictionary():
    config = config_of(
        {
            "channels": [
                {"name": "team", "url": URL, "format": "markdown", "resolved": False},
                {"name": "on call", "url": "${PAGER}", "severity": "critical"},
            ],
            "rules": [
                {"name": "j", "metric": "jsd", "warning": 0.1, "critical": 0.3, "segments": ["a"]},
                {"name": "n", "metric": "n_rows", "critical": 10, "features": ["photo"]},
                {"name": "w", "metric": "n_rows", "warning": -50, "days_before": 7},
            ],
            "link": "https://ours.example/{feature}/{segment}?rule={rule}&from={start}&to={end}",
        }
    )
    assert MonitoringConfig.from_dict(config.to_dict()) == config
    assert config.alerts.channels[1].severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"metric": "jsdd"}, "rules[0].metric: 'jsdd': there is no such metric; allowed: verdict, "),
        ({"metric": "n_rows"}, "rules[0]: n_rows has no calibrated default: give warning or critica"),
        ({"metric": "n_rows", "warning": 1, "critical": 2}, "critical (2) must be less than warning"),
        ({"metric": "jsd", "warning": 2, "critical": 1}, "critical (1) must be more than warning (2"),
        ({"warning": 1}, "verdict needs no threshold: leave out warning and critical"),
        ({"metric": "jsd", "warning": True}, "rules[0].warning: True: must be a valid number"),
        ({"metric": "jsd", "warning": float("nan")}, "rules[0].warning: nan: must be a finite numb"),
        ({"metric": "jsd", "warning": 1, "severity": "critical"}, "severity is for rules without"),
        ({"segments": "some"}, "segments: 'some': must be all, none, or a list of segments"),
        ({"features": ["phto"]}, "no monitored feature 'phto'; did you mean 'photo'? allowed: photo"),
        ({"days_before": 7}, "days_before needs a threshold for the change"),
        ({"resolve_after": 0}, "resolve_after: 0: must be greater than or equal to 1"),
        ({"resolve_after": True}, "resolve_after: True: must be a valid integer"),
        ({"cool_down_hours": -1}, "cool_down_hours: -1: must be greater than or equal to 0"),
        ({"name": " "}, "rules[0].name: ' ': must be a text of 1 to 100 characters"),
        ({"treshold": 1}, "rules[0].treshold: there is no such key"),
    ],
)  # fmt: skip
def test_what_a_rule_may_not_say(rule, told):
    with pytest.raises(ConfigError) as error:
        config_of({"rules": [{"name": "r", **rule}]})
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("ftp://x", "must begin with http:// or https://"),
        ("javascript:alert(1)", "must begin with http:// or https://"),
        ("https://x/{foo}", "names {foo}; allowed: {feature}, {segment}, {rule}, {start}, {end}"),
        ("https://x/{feature.__class__}", "names {feature.__class__}; allowed"),
        ("https://x/{feature:>999999999}", "names {feature:>999999999}; allowed"),
        ("https://x/{}", "names {}; allowed"),
        ("https://x/{", "holds a brace that does not close"),
    ],
)
def test_what_a_link_may_not_say(link, told):
    with pytest.raises(ConfigError) as error:
        config_of({"link": link})
    assert told in str(error.value)


def test_names_differ():
    with pytest.raises(ConfigError, match="the name 'r' is there twice"):
        config_of({"rules": [{"name": "r"}, {"name": "r"}]})


@pytest.mark.parametrize(
    "alerts",
    [
        URL,
        {"channels": URL},
        {"channels": {"team": URL}},
        {"channels": [URL]},
        {"channels": [{"name": "team", "url": [URL]}]},
        {"channels": [{"name": "team", "url": SECRET}]},
        {"channels": [{"name": "team", "url": URL, "ulr": URL}]},
        {"channels": [{"url": URL}]},
        {"channels": [{"name": "team", "url": URL}, {"name": "team", "url": URL}]},
        {"channels": [{"name": "team", "url": URL, "format": "html"}]},
    ],
)
def test_no_secret_in_an_error(alerts):
    with pytest.raises(ConfigError) as error:
        config_of(alerts)
    assert SECRET not in "".join(traceback.format_exception(error.value))


def test_no_secret_in_a_repr():
    assert SECRET not in repr(config_of({"channels": [{"name": "team", "url": URL}]}))
    assert SECRET not in str(AlertChannel(name="team", url=URL))
