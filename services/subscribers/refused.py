"""What the register of subscribers refuses."""

from __future__ import annotations


class NoSuchSubscriber(Exception):
    """There is no such subscriber, or it is somebody else's."""


class SubscribedAlready(Exception):
    """The same URL is subscribed already."""

    def __init__(self, subscriber: object) -> None:
        super().__init__(f"{subscriber} has this URL already")
