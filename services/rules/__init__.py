"""Trying a rule set before it is adopted: histories in a few lines, and the levels that they should give.

`histories` reads a file of them, `trial` folds each by the very fold that computes the levels of the network, in
memory, and says what differs. deploy/rules/README.md shows how such a file is written.
"""
