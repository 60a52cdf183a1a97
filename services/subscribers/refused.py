"""What the register of subscribers refuses."""

from __future__ import annotations

from events.refusals import NotNow


class NoSuchSubscriber(NotNow):
    """There is no such subscriber, or it is somebody else's."""

    sentence = "there is no such subscriber"


class SubscribedAlready(NotNow):
    """The same URL is subscribed already."""

    sentence = "{subscriber} has this URL already: change that one, or rotate its secret where the first is lost"
