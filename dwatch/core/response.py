"""What an author's ``check()`` returns."""

from __future__ import annotations

from typing import Any

from dwatch.core.status import Status


class CheckResponse:
    """A verdict with data: a status and any named values worth keeping.

    Values are given as keywords or set as attributes::

        CheckResponse(Status.critical, balance=wallet.balance)

        response = CheckResponse()
        response.set_status(Status.warning)
        response.balance = wallet.balance

    Without a status it is unknown. Reading a value that was never set raises
    AttributeError, so that a typo is noticed. Raises ValueError for anything
    that is not a :class:`Status` or the number of one; a bool is no number here.
    """

    __slots__ = ("_data", "_status")

    _data: dict[str, Any]
    _status: Status

    def __init__(self, status: Status = Status.unknown, /, **data: Any) -> None:
        _set_status(self, status if type(status) is Status else _verdict(status))
        _set_data(self, data)

    def set_status(self, status: Status) -> None:
        """Give the verdict."""
        _set_status(self, status if type(status) is Status else _verdict(status))

    def get_status(self) -> Status:
        """Return the verdict."""
        return self._status

    def get_data(self) -> dict[str, Any]:
        """Return the named values; changing the dict changes the response."""
        return self._data

    def __setattr__(self, name: str, value: Any) -> None:
        self._data[name] = value

    def __getattr__(self, name: str) -> Any:
        # Only reached when normal lookup fails. Slots must not be looked up in data:
        # copy and pickle ask for attributes before they are filled.
        data = {} if name in CheckResponse.__slots__ else self._data
        if name in data:
            return data[name]
        raise AttributeError(f"this response has no value {name!r}; values: {list(data)}")

    def __getstate__(self) -> tuple[Status, dict[str, Any]]:
        return (self._status, self._data)

    def __setstate__(self, state: tuple[Status, dict[str, Any]]) -> None:
        _set_status(self, state[0])
        _set_data(self, dict(state[1]))  # a copy's values are its own

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CheckResponse):
            return NotImplemented
        return self.__getstate__() == other.__getstate__()

    __hash__ = None  # type: ignore[assignment]  # mutable, so not hashable

    def __repr__(self) -> str:
        values = "".join(f", {name}={value!r}" for name, value in self._data.items())
        return f"CheckResponse(Status.{self._status.name}{values})"


# What object.__setattr__ would look up each time; a response is made for each payload.
_set_status = CheckResponse.__dict__["_status"].__set__
_set_data = CheckResponse.__dict__["_data"].__set__


def _verdict(status: object) -> Status:
    # Status(True) would be ok: `balance < 0` instead of a status must not turn green.
    if not isinstance(status, int) or isinstance(status, bool):
        raise ValueError(f"{status!r:.80} is not a valid Status")  # noqa: TRY004 - as Status()
    return Status(status)
