"""A witness of logs: a small program that another organisation runs, and that cosigns no second history of any log."""
