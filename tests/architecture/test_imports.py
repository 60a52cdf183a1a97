"""Who may import whom: the contracts in pyproject.toml, held here too, where an editor's run of the tests sees them."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import grimp
from importlinter.application.use_cases import SUCCESS, lint_imports
from importlinter.configuration import configure


def test_every_import_contract_is_kept() -> None:
    configure()
    config = Path(__file__).parents[2] / "pyproject.toml"
    assert lint_imports(config_filename=str(config), cache_dir=None, is_debug_mode=False) is SUCCESS


def test_projections_do_not_know_each_other() -> None:
    """No contract of the file: that would have to list them, and one that was forgotten would not be held to it."""
    graph = grimp.build_graph("projections", cache_dir=None)
    folders = [module for module in graph.find_children("projections") if graph.find_children(module)]
    assert len(folders) > 1
    for one, other in permutations(folders, 2):
        assert not graph.find_shortest_chains(importer=one, imported=other, as_packages=True), (one, other)
