"""Who may import whom: the contracts in pyproject.toml, held here too, where an editor's run of the tests sees them."""

from __future__ import annotations

from pathlib import Path

from importlinter.application.use_cases import SUCCESS, lint_imports
from importlinter.configuration import configure


def test_every_import_contract_is_kept() -> None:
    configure()
    config = Path(__file__).parents[2] / "pyproject.toml"
    assert lint_imports(config_filename=str(config), cache_dir=None, is_debug_mode=False) is SUCCESS
