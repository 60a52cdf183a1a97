"""Bugs that the checker has to find: each a patch of ours, applied to a copy of the project that is then struck.

A patch begins with what it is, which strikes show it, how many of them, and by which findings of the checker's it is
caught; `git apply` passes over those lines.
"""
