"""Who may do what in Kafka: the least that each role needs, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stream.settings import Settings

WEBHOOK_DEAD_LETTER = "courier.webhook-dead-letter"
WEBHOOK_GROUP = "respite-webhooks"

#: Roles that belong to one platform.
OF_A_PLATFORM = ("feed", "consumer")


class Resource(NamedTuple):
    """A ``topic``, ``group`` or ``transactional_id``: the one of that name, or all whose names begin so."""

    kind: str
    name: str
    prefixed: bool = False

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {self.name}{'*' if self.prefixed else ''}"


class Right(NamedTuple):
    """One operation, by Kafka's name, that one user may do on a resource from anywhere."""

    user: str
    operation: str
    resource: Resource

    def __str__(self) -> str:
        return f"{self.user}: {self.operation.replace('_', ' ')} {self.resource}"


@dataclass(frozen=True, slots=True)
class User:
    """A user of Kafka. ``platform`` is that of a feed or consumer, else None."""

    name: str
    role: str
    platform: str | None = None


Granted = Iterator[tuple[Resource, tuple[str, ...]]]


def rights_of(user: User, settings: Settings) -> list[Right]:
    """All that a user may do. Read and write imply describe in Kafka, alter configs its describe."""
    granted = _ROLES[user.role](settings, user.platform or "")
    return sorted({Right(user.name, operation, on) for on, operations in granted for operation in operations})


def overlapping(users: Sequence[User]) -> list[str]:
    """Platforms whose groups another platform could take part in, because of its name; two at a time."""
    names = sorted({user.platform for user in users if user.platform})
    return [
        f"platform {one} could join groups of {other}: {_groups(other)}* begins with {_groups(one)}"
        for one in names
        for other in names
        if one != other and _groups(other).startswith(_groups(one))
    ]


def _groups(platform: str) -> str:
    return f"platform-{platform}-"


def _topic(name: str) -> Resource:
    return Resource("topic", name)


def _outlets(settings: Settings) -> list[Resource]:
    topics = (settings.alerts_topic, settings.status_topic)
    return [Resource("topic", f"{topic}.", prefixed=True) for topic in topics]


def _worker(settings: Settings, _: str) -> Granted:
    # Misplaced events go back into the source; who takes over a partition reads what was told.
    yield _topic(settings.source_topic), ("READ", "WRITE", "DESCRIBE_CONFIGS")
    yield _topic(settings.control_topic), ("READ", "DESCRIBE_CONFIGS")
    yield _topic(settings.zone_condition_topic), ("READ", "DESCRIBE_CONFIGS")
    both = settings.alerts_topic, settings.status_topic, settings.state_topic, settings.dead_letter_topic
    for name in (*both, settings.shadow_alerts_topic, settings.shadow_state_topic):
        yield _topic(name), ("READ", "WRITE", "DESCRIBE_CONFIGS")
    yield _topic(settings.watermark_topic), ("WRITE", "DESCRIBE_CONFIGS")
    for outlet in _outlets(settings):
        yield outlet, ("WRITE", "DESCRIBE_CONFIGS")
    yield Resource("group", settings.group), ("READ",)
    yield Resource("transactional_id", f"{settings.group}-", prefixed=True), ("WRITE", "DESCRIBE")


def _feed(settings: Settings, _: str) -> Granted:
    yield _topic(settings.source_topic), ("WRITE",)


def _consumer(settings: Settings, platform: str) -> Granted:
    yield _topic(settings.alerts_of(platform)), ("READ",)
    yield _topic(settings.status_of(platform)), ("READ",)
    # It names no rider, and without it a dispatcher would read silence as clear.
    yield _topic(settings.watermark_topic), ("READ",)
    yield Resource("group", _groups(platform), prefixed=True), ("READ",)


def _api(settings: Settings, _: str) -> Granted:
    names = (
        settings.alerts_topic,
        settings.status_topic,
        settings.watermark_topic,
        settings.dead_letter_topic,
    )
    for name in names:
        yield _topic(name), ("READ",)
    # Write: what an answer to a review leads to, corrections and orders to lift a hold.
    yield _topic(settings.source_topic), ("DESCRIBE", "WRITE")
    yield _topic(settings.control_topic), ("WRITE",)


def _webhooks(settings: Settings, _: str) -> Granted:
    for outlet in _outlets(settings):
        yield outlet, ("READ",)
    # Read, for `respite webhooks replay`; it makes its topic itself.
    yield _topic(settings.prefix + WEBHOOK_DEAD_LETTER), ("READ", "WRITE", "CREATE")
    yield Resource("group", f"{WEBHOOK_GROUP}-", prefixed=True), ("READ",)


def _ledger(settings: Settings, _: str) -> Granted:
    for name in (settings.alerts_topic, settings.control_topic):
        yield _topic(name), ("READ",)
    for outlet in _outlets(settings):
        yield outlet, ("READ",)


def _operator(settings: Settings, _: str) -> Granted:
    # No delete: a slip must not remove evidence. `respite forget` looks whether the status is gone.
    yield _topic(settings.status_topic), ("READ",)
    made = ("CREATE", "ALTER", "ALTER_CONFIGS", "DESCRIBE")
    names = (
        settings.source_topic, settings.alerts_topic, settings.status_topic, settings.watermark_topic,
        settings.dead_letter_topic, settings.state_topic, settings.prefix + WEBHOOK_DEAD_LETTER,
        settings.shadow_alerts_topic, settings.shadow_state_topic,
    )  # fmt: skip
    for name in names:
        yield _topic(name), made
    for outlet in _outlets(settings):
        yield outlet, made
    yield _topic(settings.control_topic), (*made, "READ", "WRITE")
    yield _topic(settings.zone_condition_topic), (*made, "READ", "WRITE")
    yield Resource("group", settings.group), ("DESCRIBE",)
    yield Resource("group", f"{WEBHOOK_GROUP}-", prefixed=True), ("DESCRIBE",)


def _announcer(settings: Settings, _: str) -> Granted:
    yield _topic(settings.zone_condition_topic), ("WRITE",)


def _nothing(_: Settings, __: str) -> Granted:
    """The regulator asks the API, which counts and suppresses; Kafka would show persons."""
    yield from ()


_ROLES: dict[str, Callable[[Settings, str], Granted]] = {
    "worker": _worker,
    "feed": _feed,
    "consumer": _consumer,
    "api": _api,
    "webhooks": _webhooks,
    "ledger": _ledger,
    "operator": _operator,
    "announcer": _announcer,
    "regulator": _nothing,
}
ROLES = tuple(_ROLES)
