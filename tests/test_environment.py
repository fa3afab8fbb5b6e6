"""Environment variables in texts of the config."""

import pytest

from monitor.environment import filled_in
from monitor.errors import ConfigError


@pytest.mark.parametrize("environment", [{}, {"NAME": ""}, {"NAME": " \n"}])
def test_a_variable_that_is_not_set_is_told(environment):
    with pytest.raises(ConfigError) as caught:
        filled_in("json://s3cret@ours.example/${NAME}", "store.url", environment)
    assert str(caught.value) == (
        "store.url needs the environment variable NAME, which is not set or empty: set it where monitor "
        "runs"
    )


def test_it_is_done_once_and_without_the_line_end_of_a_file():
    found = filled_in("json://ours.example/${A}/${B}", "url", {"A": "${B}", "B": "b\n"})
    assert found == "json://ours.example/${B}/b"


def test_by_default_of_this_process(monkeypatch):
    monkeypatch.setenv("PLACE", "there")
    assert filled_in("${PLACE}/a", "url") == "there/a"
