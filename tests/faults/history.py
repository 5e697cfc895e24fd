"""What must hold of the stored history, whatever happened to the processes that wrote it."""

from __future__ import annotations

from dwatch.models import Result, StatusChange


def assert_history_is_unbroken() -> None:
    """Every first change comes from nothing, every later one from where the last one led."""
    latest: dict[int, int] = {}
    for change in StatusChange.objects.order_by("pk"):
        assert change.from_status == latest.get(change.result_id), change
        assert change.from_status != change.to_status, change
        latest[change.result_id] = change.to_status
    assert latest == dict(Result.objects.values_list("pk", "status"))
