"""What `-v` tells, and that Python's logging has it as well."""

import logging

import monitor.images


def test_it_tells_what_is_done_and_which_files_are_read(project, monitor_command):
    quiet = monitor_command("baseline", "fit")
    some = monitor_command("baseline", "fit", "-v")
    all_of_it = monitor_command("baseline", "fit", "-vv")
    told = "monitor.pipeline.fit: photo: baseline of 400 rows, 3 clusters\n"
    assert told not in quiet.stderr
    assert told in some.stderr
    assert "train.parquet" not in some.stderr
    assert told in all_of_it.stderr
    assert "monitor.sources.files: reading train.parquet\n" in all_of_it.stderr
    assert told in monitor_command("-v", "baseline", "fit").stderr
    assert monitor_command("-v", "baseline", "fit", "-v").stderr.count(told) == 1
    assert quiet.stdout == some.stdout == all_of_it.stdout


def test_a_later_command_is_quiet_again(project, monitor_command):
    assert monitor_command("baseline", "fit", "-vv").exit_code == 0
    logger = logging.getLogger("monitor")
    assert not any(type(handler).__name__ == "_ToTerminal" for handler in logger.handlers)
    assert "monitor." not in monitor_command("baseline", "fit").stderr


def test_images_that_fail_are_named_without_their_secrets(caplog):
    caplog.set_level(logging.DEBUG, logger="monitor")
    with monitor.images.ImageReader() as reader:
        reader.fetch("ftp://me:hunter2@example.com/a.jpg?token=hunter2")
    assert "no image from ftp://example.com/a.jpg?…: scheme: ftp" in caplog.text
    assert "hunter2" not in caplog.text
