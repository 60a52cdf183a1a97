"""The eventsourcing library's own cases for recorders, run on our ledger, and an application as its docs show.

Three kinds of case cannot hold as they stand, and say so where they are overridden: topics that are Python paths, and
the recorders of what is no event.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import (
    InfrastructureFactory,
    InfrastructureFactoryError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
)
from eventsourcing.utils import Environment

from events.envelope import Envelope
from services.ledger.recorder import (
    Factory,
    LedgerAggregateRecorder,
    LedgerApplicationRecorder,
    LibraryEvent,
)
from services.local.postgres import PostgresServer

MODULE = "services.ledger.recorder"


@pytest.fixture
def ledger_dsn(postgres: PostgresServer, fresh_database: str) -> str:
    return postgres.dsn(fresh_database, "intabaza_app")


@pytest.fixture
def factory(ledger_dsn: str) -> Iterator[Factory]:
    factory = Factory(Environment(env={"LEDGER_DSN": ledger_dsn}))
    yield factory
    factory.close()


class OnOurLedger:
    """A ledger of its own for each of the library's cases."""

    factory: Factory

    @pytest.fixture(autouse=True)
    def _place(self, request: pytest.FixtureRequest) -> None:
        self.factory = request.getfixturevalue("factory")


class TestAggregateRecorder(OnOurLedger, AggregateRecorderTestCase):
    def create_recorder(self) -> LedgerAggregateRecorder:
        return self.factory.aggregate_recorder()


class TestApplicationRecorder(OnOurLedger, ApplicationRecorderTestCase[LedgerApplicationRecorder]):
    def create_recorder(self) -> LedgerApplicationRecorder:
        return self.factory.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleavingNotificationIDs(OnOurLedger, NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> LedgerApplicationRecorder:
        return self.factory.application_recorder()


class TestFactory(InfrastructureFactoryTestCase[Factory]):
    @pytest.fixture(autouse=True)
    def _place(self, ledger_dsn: str) -> None:
        self.env = Environment(env={"PERSISTENCE_MODULE": MODULE, "LEDGER_DSN": ledger_dsn})

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[LedgerAggregateRecorder]:
        return LedgerAggregateRecorder

    def expected_application_recorder_class(self) -> type[LedgerApplicationRecorder]:
        return LedgerApplicationRecorder

    def expected_tracking_recorder_class(self) -> Any:
        raise NotImplementedError

    def tracking_recorder_subclass(self) -> Any:
        raise NotImplementedError

    def expected_process_recorder_class(self) -> Any:
        raise NotImplementedError

    def test_create_tracking_recorder(self) -> None:
        """Cannot hold: a watermark commits with its projection's rows (design rule 4), never in the ledger."""
        with pytest.raises(NotSupportedError, match="watermark"):
            self.factory.tracking_recorder()

    def test_create_process_recorder(self) -> None:
        """Cannot hold: a processor appends in its watermark's transaction (design rule 9), not the other way round."""
        with pytest.raises(NotSupportedError, match="watermark"):
            self.factory.process_recorder()

    def test_a_recorder_of_snapshots_is_refused(self) -> None:
        """Cannot be: a snapshot is no event, and what is in the ledger is there for ever."""
        with pytest.raises(NotSupportedError, match="snapshots are no events"):
            self.factory.aggregate_recorder("snapshots")


def stored(topic: str = "dog.named", version: int = 1, originator_id: UUID | None = None) -> StoredEvent:
    return StoredEvent(originator_id or uuid4(), version, topic, b'{"name":"Fido"}')


@pytest.mark.parametrize("topic", ["kennel.dogs:Dog.Registered", "a:b"])
def test_a_topic_that_is_a_python_path_is_refused_with_what_to_do(factory: Factory, topic: str) -> None:
    recorder = factory.application_recorder()
    with pytest.raises(ProgrammingError, match=r"stable TOPIC .*register_topic"):
        recorder.insert_events([stored(), stored(topic)])
    assert recorder.max_notification_id() is None


def test_every_stored_event_has_a_wire_form(factory: Factory) -> None:
    recorder = factory.application_recorder()
    event = stored()
    recorder.insert_events([event])

    [row] = recorder.thread.run(recorder.ledger.read(0))
    envelope = Envelope[LibraryEvent].model_validate_json(row.wire())

    assert (envelope.type, envelope.subject) == ("dog.named", f"library/{event.originator_id}")
    assert (envelope.position, envelope.streamversion) == (1, 1)


def test_streams_that_begin_at_zero_go_on_where_they_are(factory: Factory) -> None:
    recorder = factory.application_recorder()
    dog = uuid4()
    for version in range(3):
        recorder.insert_events([stored(version=version, originator_id=dog)])

    assert [event.originator_version for event in recorder.select_events(dog)] == [0, 1, 2]
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored(version=2, originator_id=dog)])


def test_a_gap_in_a_streams_versions_is_refused(factory: Factory) -> None:
    recorder = factory.application_recorder()
    dog = uuid4()
    with pytest.raises(IntegrityError, match="without gaps"):
        recorder.insert_events([stored(version=1, originator_id=dog), stored(version=3, originator_id=dog)])
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored(version=5, originator_id=dog)])


def test_a_ledger_that_is_not_there_is_an_operational_error() -> None:
    factory = Factory(Environment(env={"LEDGER_DSN": "postgresql://nobody@/nowhere?host=/nonexistent"}))
    with pytest.raises(OperationalError, match="the database did not take it"):
        factory.application_recorder()
    with pytest.raises(InfrastructureFactoryError, match="LEDGER_DSN is missing"):
        Factory(Environment()).application_recorder()


class Dog(Aggregate):
    TOPIC = "dog"

    class Created(Aggregate.Created):
        TOPIC = "dog.registered"
        name: str

    class TrickAdded(Aggregate.Event):
        TOPIC = "dog.trick_added"
        trick: str

    @event(Created)
    def __init__(self, name: str) -> None:
        self.name = name
        self.tricks: list[str] = []

    @event(TrickAdded)
    def add_trick(self, trick: str) -> None:
        self.tricks.append(trick)


class Kennel(Application[UUID]):
    def register(self, name: str) -> UUID:
        dog = Dog(name=name)
        self.save(dog)
        return dog.id

    def add_trick(self, dog_id: UUID, trick: str) -> None:
        dog: Dog = self.repository.get(dog_id)
        dog.add_trick(trick)
        self.save(dog)


@pytest.fixture
def kennel(ledger_dsn: str) -> Iterator[Kennel]:
    with Kennel(env={"PERSISTENCE_MODULE": MODULE, "LEDGER_DSN": ledger_dsn}) as kennel:
        yield kennel


def test_an_application_as_the_librarys_docs_show_works_on_our_ledger(kennel: Kennel, ledger_dsn: str) -> None:
    dog_id = kennel.register("Fido")
    kennel.add_trick(dog_id, "roll over")
    kennel.add_trick(dog_id, "play dead")

    dog: Dog = kennel.repository.get(dog_id)
    assert (dog.name, dog.tricks, dog.version) == ("Fido", ["roll over", "play dead"], 3)
    earlier: Dog = kennel.repository.get(dog_id, version=2)
    assert earlier.tricks == ["roll over"]
    section = kennel.notification_log["1,10"]
    assert [(item.id, item.topic) for item in section.items] == [
        (1, "dog.registered"),
        (2, "dog.trick_added"),
        (3, "dog.trick_added"),
    ]
    with pytest.raises(AggregateNotFoundError):
        kennel.repository.get(uuid4())

    with Kennel(env={"PERSISTENCE_MODULE": MODULE, "LEDGER_DSN": ledger_dsn}) as after_a_restart:
        assert after_a_restart.repository.get(dog_id).version == 3


def test_two_decisions_on_one_aggregate_conflict(kennel: Kennel) -> None:
    dog_id = kennel.register("Fido")
    one: Dog = kennel.repository.get(dog_id)
    other: Dog = kennel.repository.get(dog_id)
    one.add_trick("sit")
    other.add_trick("stay")
    kennel.save(one)

    with pytest.raises(IntegrityError):
        kennel.save(other)


def test_applications_share_a_ledger_and_see_their_own(kennel: Kennel, ledger_dsn: str) -> None:
    class Shelter(Kennel):
        name = "shelter"

    kennel.register("Fido")
    with Shelter(env={"PERSISTENCE_MODULE": MODULE, "LEDGER_DSN": ledger_dsn}) as shelter:
        stray = shelter.register("Rex")
        assert [item.originator_id for item in shelter.notification_log["1,10"].items] == [stray]
    assert len(kennel.notification_log["1,10"].items) == 1


def test_an_aggregate_without_a_topic_of_its_own_is_refused(ledger_dsn: str) -> None:
    class Cat(Aggregate):
        class Created(Aggregate.Created):
            TOPIC = "cat.registered"

        @event(Created)
        def __init__(self) -> None:
            pass

    with (
        Application[UUID](env={"PERSISTENCE_MODULE": MODULE, "LEDGER_DSN": ledger_dsn}) as application,
        pytest.raises(ProgrammingError, match="give the aggregate a TOPIC"),
    ):
        application.save(Cat())


def test_the_library_finds_the_factory_by_its_module(ledger_dsn: str) -> None:
    assert isinstance(InfrastructureFactory.construct(Environment(env={"PERSISTENCE_MODULE": MODULE})), Factory)
