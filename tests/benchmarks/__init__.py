"""Figures side by side: `make bench`."""
