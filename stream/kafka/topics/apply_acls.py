"""``respite secure``: users and rights in Kafka, brought to what the roles need; says what it does first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka.errors import ClusterAuthorizationFailedError, SecurityDisabledError

from stream.kafka.admin import KafkaUnavailable, administration
from stream.kafka.topics.acls import Resource, Right, rights_of
from stream.kafka.topics.users_file import Users
from stream.settings import Settings

_MECHANISM = "SCRAM-SHA-512"
#: RFC 7677 asks for at least 4,096; this one is a tenth of a second of an attacker's core, and of ours, once.
_ITERATIONS = 16_384
_ANYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs between Kafka and what is wanted.

    Parameters
    ----------
    passwords
        Users whose password is set: those without one, or all if so asked.
    surplus
        Rights, and denials, of these users that no role gives them.
    standing
        How many rights stand as they should.
    """

    passwords: tuple[str, ...]
    missing: tuple[Right, ...]
    surplus: tuple[ACL, ...]
    standing: int

    def text(self, *, prune: bool) -> str:
        """The plan for people."""
        lines = [f"+ password {user}" for user in self.passwords]
        lines += [f"+ {right}" for right in self.missing]
        sign = "-" if prune else "?"
        lines += [f"{sign} {_described(acl)}" for acl in self.surplus]
        if self.surplus and not prune:
            lines.append("? are rights beyond the role; --prune takes them away")
        lines.append(f"{self.standing} rights stand as they should")
        return "\n".join(lines)


def plan(admin: KafkaAdminClient, settings: Settings, users: Users, *, set_passwords: bool) -> Plan:
    """Compare Kafka with what is wanted."""
    wanted = {right for user in users.users for right in rights_of(user, settings)}
    standing, surplus = set(), []
    for user in users.users:
        for acl in _acls(admin, user.name):
            right = _right(acl, user.name)
            if right in wanted:
                standing.add(right)
            else:
                surplus.append(acl)
    return Plan(
        passwords=tuple(_without_password(admin, users, set_passwords=set_passwords)),
        missing=tuple(sorted(wanted - standing)),
        surplus=tuple(sorted(surplus, key=_described)),
        standing=len(standing),
    )


def carry_out(admin: KafkaAdminClient, made: Plan, users: Users, *, prune: bool) -> None:
    """Set passwords and rights; take away the surplus only if ``prune``.

    Raises
    ------
    KafkaUnavailable
        Kafka refuses a part; what was done before stands, and the command may be repeated.
    """
    if made.passwords:
        upsertions = [
            UserScramCredentialUpsertion(name, _MECHANISM, users.passwords[name], iterations=_ITERATIONS)
            for name in made.passwords
        ]
        refused = {
            name: text for name, text in admin.alter_user_scram_credentials(upsertions).items() if text
        }
        if refused:
            raise KafkaUnavailable(f"Kafka refuses passwords: {refused}")
    if made.missing:
        failed = admin.create_acls([_acl(right) for right in made.missing])["failed"]
        if failed:
            raise KafkaUnavailable(f"Kafka refuses {len(failed)} rights: {failed[0].__name__}")
    if prune and made.surplus:
        results = admin.delete_acls([_filter_of(acl) for acl in made.surplus])
        errors = [error.__name__ for _, _, error in results if error.errno]
        if errors:
            raise KafkaUnavailable(f"Kafka does not take away {len(errors)} rights: {errors[0]}")


@dataclass(frozen=True, slots=True)
class Wish:
    """How ``respite secure`` was called."""

    dry_run: bool
    prune: bool
    set_passwords: bool


def run(settings: Settings, users: Users, wish: Wish, say: Callable[[str], None] | None = None) -> int:
    """The command ``respite secure``; the exit status."""
    tell = say or (lambda text: print(text, file=sys.stdout))  # noqa: T201 - its output is its result
    try:
        with administration(settings) as admin:
            made = plan(admin, settings, users, set_passwords=wish.set_passwords)
            tell(made.text(prune=wish.prune))
            if not wish.dry_run:
                carry_out(admin, made, users, prune=wish.prune)
    except KafkaUnavailable as error:
        sys.stderr.write(f"respite: {error}{_remedy(error.__cause__)}\n")
        return 1
    return 0


def _remedy(cause: BaseException | None) -> str:
    if isinstance(cause, SecurityDisabledError):
        return "; the broker has no authorizer: set authorizer.class.name and super.users"
    if isinstance(cause, ClusterAuthorizationFailedError):
        return "; rights are given by a user in the broker's super.users"
    return ""


def _without_password(admin: KafkaAdminClient, users: Users, *, set_passwords: bool) -> Sequence[str]:
    names = sorted(users.passwords)
    if set_passwords or not names:
        return names
    found = admin.describe_user_scram_credentials(names)
    return [name for name in names if not found.get(name, {}).get("credential_infos")]


def _acls(admin: KafkaAdminClient, user: str) -> list[ACL]:
    anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    asked = ACLFilter(_principal(user), None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
    acls, error = admin.describe_acls(asked)
    if error.errno:
        raise error
    return list(acls)


def _principal(user: str) -> str:
    return f"User:{user}"


def _right(acl: ACL, user: str) -> Right | None:
    """The right that a rule of Kafka's is; None for a denial, or one for some hosts only."""
    if acl.permission_type is not ACLPermissionType.ALLOW or acl.host != _ANYWHERE:
        return None
    pattern = acl.resource_pattern
    prefixed = pattern.pattern_type is ACLResourcePatternType.PREFIXED
    return Right(
        user,
        acl.operation.name,
        Resource(pattern.resource_type.name.lower(), pattern.resource_name, prefixed),
    )


def _acl(right: Right) -> ACL:
    kind = ACLResourcePatternType.PREFIXED if right.resource.prefixed else ACLResourcePatternType.LITERAL
    pattern = ResourcePattern(ResourceType[right.resource.kind.upper()], right.resource.name, kind)
    operation = ACLOperation[right.operation]
    return ACL(_principal(right.user), _ANYWHERE, operation, ACLPermissionType.ALLOW, pattern)


def _filter_of(acl: ACL) -> ACLFilter:
    pattern = acl.resource_pattern
    exactly = ResourcePatternFilter(pattern.resource_type, pattern.resource_name, pattern.pattern_type)
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, exactly)


def _described(acl: ACL) -> str:
    pattern = acl.resource_pattern
    star = "*" if pattern.pattern_type is ACLResourcePatternType.PREFIXED else ""
    kind, operation = pattern.resource_type.name.lower(), acl.operation.name.replace("_", " ")
    denied = "" if acl.permission_type is ACLPermissionType.ALLOW else "not "
    host = "" if acl.host == _ANYWHERE else f" from {acl.host}"
    user = acl.principal.removeprefix("User:")
    return f"{user}: {denied}{operation} {kind.replace('_', ' ')} {pattern.resource_name}{star}{host}"
