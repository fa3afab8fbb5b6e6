"""Messages that really go out: a webhook and a mail server on this machine."""

import logging
import socket
import traceback

import pytest

from monitor.alerts import AlertChannel, Message, send
from monitor.alerts.alert import MessageKind
from monitor.alerts.channels import without_secrets
from monitor.errors import DeliveryError
from tests.alerts.samples import message

WORDS = Message("a title", "p < 0.01 & <b>", "**p** < 0.01", MessageKind.CRITICAL)


def failure(channel: AlertChannel) -> str:
    """What is said, everything a traceback would show included."""
    with pytest.raises(DeliveryError) as error:
        send(channel, WORDS)
    shown = "".join(traceback.format_exception(error.value))
    assert "sEcReT" not in shown
    assert channel.url not in shown
    return str(error.value)


def test_a_webhook_gets_title_text_and_kind(hook):
    send(AlertChannel(name="hook", url=hook.url), WORDS)
    (got,) = hook.received
    assert (got["title"], got["message"], got["type"]) == (WORDS.title, WORDS.text, "failure")


def test_markdown_where_it_is_asked_for(hook):
    send(AlertChannel(name="hook", url=hook.url, format="markdown"), WORDS)
    assert hook.received[0]["message"] == WORDS.markdown


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_refusal_is_a_failure(hook, status):
    hook.answers = [status]
    told = failure(AlertChannel(name="hook", url=hook.url))
    assert told.startswith("the channel 'hook' did not take the message: ")
    assert f"error={status}" in told
    assert hook.received == []


def test_a_host_that_is_not_there():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        told = failure(AlertChannel(name="hook", url=f"json://me:sEcReT@127.0.0.1:{port}/sEcReT"))
    assert "A Connection error occurred" in told


def test_a_host_that_says_nothing():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        told = failure(AlertChannel(name="hook", url=f"json://127.0.0.1:{port}/sEcReT?rto=0.2"))
    assert "Connection error" in told


@pytest.mark.parametrize("url", ["nonsense://sEcReT/token", "slack://sEcReT/", "mailto://sEcReT"])
def test_a_url_that_apprise_does_not_know(url):
    told = failure(AlertChannel(name="odd", url=url))
    assert told.startswith("the URL of the channel 'odd' is none that apprise knows")


def test_a_mail(mailbox):
    url = f"mailto://127.0.0.1:{mailbox.port}?from=monitor@ours.example&to=me@ours.example&mode=insecure"
    send(AlertChannel(name="mail", url=url), WORDS)
    (mail,) = mailbox.mails
    assert mail["subject"] == "a title"
    assert mail["to"] == "me@ours.example"
    assert mail.get_body(("plain",)).get_content().strip() == WORDS.text
    send(AlertChannel(name="mail", url=url, format="markdown"), WORDS)
    html = mailbox.mails[1].get_body(("html",)).get_content()
    assert html.strip() == "<p><strong>p</strong> &lt; 0.01</p>"


def test_a_mail_that_is_refused(mailbox):
    mailbox.is_full = True
    url = f"mailto://127.0.0.1:{mailbox.port}?from=sEcReT@ours.example&to=me@ours.example&mode=insecure"
    told = failure(AlertChannel(name="mail", url=url))
    assert told.startswith("the channel 'mail' did not take the message")
    assert mailbox.mails == []


def test_a_url_from_the_environment(hook, monkeypatch):
    monkeypatch.setenv("HOOK_URL", hook.url)
    send(AlertChannel(name="hook", url="${HOOK_URL}"), message())
    host, _, path = hook.url.rpartition("/")
    monkeypatch.setenv("HOOK_PATH", path)
    send(AlertChannel(name="hook", url=host + "/${HOOK_PATH}"), message())
    assert len(hook.received) == 2


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("HOOK_URL", raising=False)
    else:
        monkeypatch.setenv("HOOK_URL", value)
    told = failure(AlertChannel(name="hook", url="${HOOK_URL}"))
    assert told == (
        "the channel 'hook' needs the environment variable HOOK_URL, which is not set or empty: set "
        "it where monitor runs"
    )


def test_secrets_in_every_part_are_taken_out():
    url = "slack://T0kenA/T0kenB:p%40ss/T0kenC?key=T0kenD#T0kenE"
    said = "bad T0kenA, T0kenB, p%40ss, p@ss, T0kenC; T0kenD T0kenE"
    assert without_secrets(said, url) == "bad …, …, …, …, …; … …"


def test_no_secret_is_logged(hook, caplog):
    hook.answers = [500]
    with caplog.at_level(logging.WARNING):
        failure(AlertChannel(name="hook", url=hook.url))
    assert "sEcReT" not in caplog.text
    handlers = logging.getLogger("apprise").handlers
    assert [kind.__name__ for kind in map(type, handlers)] == ["NullHandler"]
