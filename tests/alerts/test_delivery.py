"""The outbox on a real store, to a real webhook and mail server."""

import datetime as dt
import random

import pytest

from monitor.alerts import AlertsConfig, Delivered, deliver, send
from monitor.alerts.delivery import LEASE, retry_wait
from tests.alerts.samples import NOW, alert, entry


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def config_of(hook, **changes) -> AlertsConfig:
    given = {"retry_seconds": 10.0, "max_retry_seconds": 60.0, **changes}
    return AlertsConfig(channels=[{"name": "hook", "url": hook.url}], **given)


def test_what_is_due_is_delivered_once(store, hook, clock):
    store.save_alert(alert(), [entry("a", title="first"), entry("b", title="second")])
    assert deliver(store, config_of(hook), clock) == Delivered(n_delivered=2)
    assert deliver(store, config_of(hook), clock) == Delivered()
    assert [got["title"] for got in hook.received] == ["first", "second"]
    assert [one.state for one in store.entries()] == ["delivered", "delivered"]


def test_a_failure_waits_longer_each_time_and_ends_dead(store, hook, clock):
    hook.answers = [500] * 4
    config = config_of(hook, max_attempts=4)
    store.save_alert(alert(), [entry()])
    for longest in (10, 20, 40):
        done = deliver(store, config, clock, rng=random.Random(0))
        assert (done.n_delivered, done.n_failed, done.n_dead) == (0, 1, 0)
        (waiting,) = store.entries()
        wait = (waiting.next_attempt_at - clock.now).total_seconds()
        assert longest / 2 <= wait <= longest
        assert deliver(store, config, clock) == Delivered()
        clock.pass_by(wait)
    done = deliver(store, config, clock)
    assert (done.n_failed, done.n_dead) == (0, 1)
    (dead,) = store.entries()
    assert (dead.state, dead.attempts) == ("dead", 4)
    assert "error=500" in dead.last_error
    assert "sEcReT" not in dead.last_error
    clock.pass_by(1e6)
    assert deliver(store, config, clock) == Delivered()
    store.revive(clock.now)
    assert deliver(store, config, clock) == Delivered(n_delivered=1)


def test_a_failure_holds_nothing_else_back(store, hook, mailbox, clock):
    mailbox.is_full = True
    url = f"mailto://127.0.0.1:{mailbox.port}?from=m@ours.example&to=y@ours.example&mode=insecure"
    config = AlertsConfig(
        channels=[{"name": "mail", "url": url}, {"name": "hook", "url": hook.url}]
    )
    store.save_alert(alert(), [entry("a", "mail"), entry("b", "hook")])
    done = deliver(store, config, clock)
    assert (done.n_delivered, done.n_failed) == (1, 1)
    mailbox.is_full = False
    clock.pass_by(30)
    assert deliver(store, config, clock) == Delivered(n_delivered=1)
    assert len(mailbox.mails) == len(hook.received) == 1


class Died(BaseException):
    """Stands for a SIGKILL: nothing of ours may catch it."""


def test_a_worker_that_dies_after_sending_sends_again(store, hook, clock):
    def send_and_die(channel, message):
        send(channel, message)
        raise Died

    store.save_alert(alert(), [entry()])
    with pytest.raises(Died):
        deliver(store, config_of(hook), clock, send=send_and_die)
    assert deliver(store, config_of(hook), clock) == Delivered()
    clock.pass_by(LEASE.total_seconds())
    assert deliver(store, config_of(hook), clock) == Delivered(n_delivered=1)
    assert len(hook.received) == 2


def test_a_worker_that_dies_before_sending_loses_nothing(store, hook, clock):
    def die(channel, message):
        raise Died

    store.save_alert(alert(), [entry()])
    with pytest.raises(Died):
        deliver(store, config_of(hook), clock, send=die)
    clock.pass_by(LEASE.total_seconds())
    assert deliver(store, config_of(hook), clock) == Delivered(n_delivered=1)
    assert len(hook.received) == 1


def test_a_channel_that_is_gone(store, hook, clock):
    store.save_alert(alert(), [entry(channel="old")])
    done = deliver(store, config_of(hook), clock)
    assert done.errors == ("there is no channel 'old' in the config any more",)
    assert done.n_failed == 1


def test_waits_are_capped_and_spread():
    config = AlertsConfig(retry_seconds=10, max_retry_seconds=60)
    rng = random.Random(0)
    for attempts in (4, 12, 5_000):
        waits = [retry_wait(config, attempts, rng).total_seconds() for _ in range(200)]
        assert 30 <= min(waits) < 33
        assert 57 < max(waits) <= 60
