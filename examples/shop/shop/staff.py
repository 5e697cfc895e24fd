"""The people the shop's results are assigned to."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

SUPERUSER = "example"
PASSWORD = "datawatch"  # noqa: S105 - printed on purpose, so that anybody can sign in
GROUPS = ("finance", "sales", "warehouse")
ACCOUNT_MANAGERS = ("anna", "bruno", "carla")


def ensure_staff() -> list[User]:
    """Create who is missing; return the account managers."""
    if not User.objects.filter(username=SUPERUSER).exists():
        User.objects.create_superuser(SUPERUSER, "example@example.com", PASSWORD)
    groups = {name: Group.objects.get_or_create(name=name)[0] for name in GROUPS}
    managers = [_account_manager(name) for name in ACCOUNT_MANAGERS]
    groups["sales"].user_set.add(*managers)
    return managers


def _account_manager(username: str) -> User:
    user, created = User.objects.get_or_create(
        username=username, defaults={"email": f"{username}@example.com", "is_staff": True}
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
