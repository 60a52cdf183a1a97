"""Alerts go to subscribers by webhook: signed, in order, at least once, each at its own pace."""
