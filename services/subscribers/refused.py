"""What the register of subscribers refuses."""

from __future__ import annotations

from events.refusals import NotNow


class NoSuchSubscriber(NotNow):
    """There is no such subscriber, or it is somebody else's."""

    sentence = "there is no such subscriber"


class SubscribedAlready(NotNow):
    """The same URL is subscribed already."""

    sentence = "{subscriber} has this URL already: change that one, or rotate its secret where the first is lost"


class TooManySubscribers(NotNow):
    """One person has as many as one may have."""

    sentence = "you have {count} subscribers, as many as one may have: remove one that is not needed any more"


class OwnerErased(NotNow):
    """Whose it would be is erased."""

    sentence = "whoever it would belong to is erased: nothing is kept of them any more"


class TooManySecrets(NotNow):
    """As many secrets sign as may at once, and each was promised to last."""

    sentence = (
        "{count} secrets sign already, and each as long as was said when the next one came: try again after {until}"
    )
