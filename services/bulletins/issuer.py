"""Who issues bulletins: what every document says of its sender, from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from services.bulletins.shapes import Boundaries, read_boundaries
from services.bulletins.signing import Signer
from services.settings import CAP_SENDER, PREFIX, Settings, SettingsRefused


@dataclass(frozen=True)
class Issuer:
    """One deployment as its documents name it. Changing any of it changes documents that were given out before."""

    sender: str
    sender_name: str
    zone: tzinfo
    scope: str = "Restricted"
    restriction: str | None = None
    contact: str | None = None
    public_url: str | None = None
    expires_days: int = 0
    signer: Signer | None = None

    def at(self, path: str) -> str | None:
        """The address under which the world finds a path of the API, where the world is told one."""
        return None if self.public_url is None else self.public_url + path


def issuer_of(settings: Settings) -> Issuer:
    """The issuer that the settings describe; raises SigningRefused or SettingsRefused."""
    sender = settings.cap_sender or settings.source
    if not CAP_SENDER.fullmatch(sender):
        raise SettingsRefused(
            f"{PREFIX}CAP_SENDER: expected where {PREFIX}SOURCE has a space, a comma, < or &, which CAP documents "
            "cannot name as their sender; set it to a text without them, like alerts.example.org."
        )
    signer = None
    if settings.cap_signing_key_file is not None:
        signer = Signer.read(settings.cap_signing_key_file, settings.cap_certificate_file)
    elif settings.cap_certificate_file is not None:
        raise SettingsRefused(
            f"{PREFIX}CAP_CERTIFICATE_FILE: expected beside {PREFIX}CAP_SIGNING_KEY_FILE only; name its key too."
        )
    return Issuer(
        sender=sender,
        sender_name=settings.cap_sender_name,
        zone=ZoneInfo(settings.zone),
        scope=settings.cap_scope,
        restriction=settings.cap_restriction,
        contact=settings.cap_contact,
        public_url=settings.public_url,
        expires_days=settings.cap_expires_days,
        signer=signer,
    )


def boundaries_of(settings: Settings) -> Boundaries:
    """The boundaries that the settings name; none where they name none. Raises BoundariesRefused."""
    if settings.boundaries_file is None:
        return Boundaries()
    return read_boundaries(settings.boundaries_file, settings.boundaries_property)
