"""A file is there whole or not at all, however many write it."""

import os
import threading

import pytest

from monitor.files import replacing


def test_writers_at_once_never_splice_a_file(tmp_path):
    path = tmp_path / "report.json"
    texts = ["a" * 200_000, "b" * 200_000]
    both_hold_a_part = threading.Barrier(2)

    def write(text: str) -> None:
        for _ in range(20):
            with replacing(path) as partial, partial.open("w") as file:
                file.write(text[:100_000])
                file.flush()
                # Neither ends before the other is in the middle of its own.
                both_hold_a_part.wait(timeout=60)
                file.write(text[100_000:])
            assert path.read_text() in texts

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in texts
    assert os.listdir(tmp_path) == ["report.json"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_name_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("n" * 250 + ".json")
    with replacing(path) as partial:
        partial.write_text("whole")
    assert path.read_text() == "whole"


def test_the_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    with replacing(tmp_path / "replaced") as partial:
        partial.write_text("")
    assert (tmp_path / "replaced").stat().st_mode == (tmp_path / "plain").stat().st_mode
