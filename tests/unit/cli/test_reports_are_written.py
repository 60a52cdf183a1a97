"""A report goes into the file that was named; what is no file stays what it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.cli.what_if import FileRefused, _write


def test_a_pipe_is_written_into_and_not_put_out_of_its_place(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        _write(pipe, "<p>Nyabagere</p>")
        assert (pipe.is_fifo(), os.read(reading, 100)) == (True, b"<p>Nyabagere</p>")
    finally:
        os.close(reading)


def test_a_file_that_cannot_be_written_has_its_status(tmp_path: Path) -> None:
    _write(page := tmp_path / "page.html", "whole")
    assert page.read_text() == "whole"
    with pytest.raises(FileRefused, match="cannot be written") as refused:
        _write(page / "below.html", "x")
    assert refused.value.status == 6
