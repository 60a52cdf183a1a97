"""Writes what we promise to strangers (schemas/) from the code, and refuses to change what was published."""
