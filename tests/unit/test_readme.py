"""What the README prints works as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_the_first_consumer_runs_as_printed() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("report.received ")


def test_every_folder_of_the_map_is_there() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    named = re.findall(r"`([a-z_/]+(?:/|\.py))`", readme.partition("## The map")[2].partition("##")[0])
    assert len(named) > 10
    assert [name for name in named if not (REPOSITORY / name).exists()] == []
