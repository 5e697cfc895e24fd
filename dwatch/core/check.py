"""The class that check authors extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dwatch.core.identifier import identify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from dwatch.core.response import CheckResponse
    from dwatch.core.status import Status


def _no_stored_config(_check: BaseCheck, _identifier: str) -> Mapping[str, Any]:
    return {}


class BaseCheck:
    """Judges payloads, usually the rows of a model.

    A check needs :meth:`check` and a source of payloads: either ``model_class``
    or its own :meth:`generate`, :meth:`get_identifier` and :meth:`get_payload`.
    Everything else is optional.
    """

    run_every: ClassVar[Any] = None
    """When to run: five cron fields, ``@daily``, a Celery crontab; None: never by itself."""
    title: ClassVar[str] = ""
    model_class: ClassVar[Any] = None
    """The Django model whose rows are the payloads."""
    config_form: ClassVar[Any] = None
    """A Django form class: what people may configure for a single result."""
    max_acknowledge: ClassVar[int | None] = None
    """The longest acknowledgement, in days; None: no limit."""
    confirm_after: ClassVar[int] = 1
    """How many judgements in a row it takes until a worse status is shown; 1: at once."""
    timeout: ClassVar[float | None] = None
    """Seconds that judging one payload may take; None: as long as it likes."""
    trigger_update: ClassVar[Mapping[str, Any]] = {}
    """Models whose changes re-check payloads, by the name in ``get_<name>_payload()``."""
    queue: ClassVar[str | None] = None
    template_name: ClassVar[str | None] = None
    tags: ClassVar[Iterable[str]] = ()
    owner: ClassVar[str] = ""
    """Who looks after this check: a team, an address."""
    runbook: ClassVar[str] = ""
    """Address of the page that tells what to do."""
    timezone: ClassVar[str | tzinfo | None] = None
    """Time zone of ``run_every``; None: the project's."""
    slug: ClassVar[str] = ""
    """Stable name; by default ``<module>.<class name>``."""
    aliases: ClassVar[Iterable[str]] = ()
    """Earlier slugs, whose results and history this check takes over."""

    only_problems: ClassVar[bool] = False
    """Whether generate() leaves out what is fine; count_left_out() then says how much that is."""

    stored_config: ClassVar[Any] = staticmethod(_no_stored_config)
    """Looks up the configuration stored for one result; installed by the Django side."""

    _batch_configs: Mapping[str, Mapping[str, Any]] | None = None
    _initial_config: Mapping[str, Any] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "slug" not in cls.__dict__:
            cls.slug = f"{cls.__module__}.{cls.__name__}"

    # -- what authors write -------------------------------------------------

    def generate(self) -> Iterable[Any]:
        """Return or yield the payloads to judge; by default all rows of the model."""
        return self.model_class._default_manager.all()  # type: ignore[no-any-return]

    def check(self, payload: Any) -> CheckResponse | Status:
        """Judge one payload: return a Status or a CheckResponse, or raise SkipCheck."""
        raise NotImplementedError

    def get_identifier(self, payload: Any) -> Any:
        """Return what names the payload: unique within the check, stable over time."""
        return payload.pk

    def get_payload(self, identifier: str) -> Any:
        """Return the payload with this identifier.

        Raises the model's ``DoesNotExist`` (or returns None) if it is gone.
        """
        return self.model_class._default_manager.get(pk=identifier)

    def get_payloads(self, identifiers: Iterable[str]) -> Mapping[str, Any]:
        """Return many payloads by identifier; those that are absent are gone.

        By default one query for the model's rows. Where get_payload() or
        get_identifier() is the author's own and this is not, the engine asks
        get_payload() for each instead.
        """
        keys = field_keys(self.model_class._meta.pk, identifiers)
        rows = self.model_class._default_manager.filter(pk__in=keys)
        return {str(row.pk): row for row in rows}

    def count_left_out(self, judged: Mapping[Status, int], skipped: int) -> Mapping[Status, int]:
        """Return how many payloads of each status generate() left out.

        Asked after a run with ``only_problems``, and told how many it judged and
        skipped. What is left out counts in the run, in lists and for the gate.
        """
        raise NotImplementedError

    def get_payload_description(self, payload: Any) -> str:
        """Return the words that people know the payload by."""
        return str(payload)

    def get_assigned_users(self, payload: Any, status: Status) -> Iterable[Any] | None:
        """Return the users who should look at this result."""

    def get_assigned_groups(self, payload: Any, status: Status) -> Iterable[Any] | None:
        """Return the groups who should look at this result."""

    def user_forced_refresh_hook(self, payload: Any) -> None:
        """Do something before a person's refresh of one result, such as fetching anew."""

    def format_result_data(self, result: Any) -> str:  # noqa: ARG002 - for authors
        """Return a result's data in words."""
        return ""

    def get_context_data(self, result: Any) -> dict[str, Any]:  # noqa: ARG002 - for authors
        """Return what ``template_name`` needs besides the result."""
        return {}

    def get_title(self) -> str:
        """Return the check's name for people."""
        return self.title

    def get_template_name(self) -> str | None:
        """Return the template shown within a result's page."""
        return self.template_name

    def get_max_acknowledge(self) -> int | None:
        """Return the longest acknowledgement in days, or None for no limit."""
        return self.max_acknowledge

    def get_form_class(self) -> Any:
        """Return the form class for the configuration of a single result."""
        return self.config_form

    @classmethod
    def refuse_mistakes(cls) -> None:
        """Raise DefinitionError if this kind of check cannot work as it is defined."""

    # -- what authors call --------------------------------------------------

    def get_config(self, payload: Any) -> dict[str, Any]:
        """Return the payload's configuration.

        What is stored for its result, merged over the form's initial values, so
        that a field added later has its default. {} without a form.
        """
        form_class = self.get_form_class()
        if form_class is None:
            return {}
        identifier = identify(self.get_identifier(payload)).identifier
        if self._batch_configs is not None:
            stored = self._batch_configs.get(identifier, {})
        else:
            stored = self.stored_config(self, identifier)
        return merge_config(form_class, stored)

    def use_configs(self, configs: Mapping[str, Mapping[str, Any]] | None) -> None:
        """Serve :meth:`get_config` from these, loaded for a whole batch at once."""
        self._batch_configs = configs


def merge_config(form_class: Any, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form's initial values with the stored ones, typed by their fields, over them.

    A stored value that its field no longer understands gives way to the initial one.
    """
    config = {}
    for name, field in form_class.base_fields.items():
        initial = field.initial() if callable(field.initial) else field.initial
        config[name] = _typed(field, stored[name], initial) if name in stored else initial
    return config


def field_keys(field: Any, identifiers: Iterable[str]) -> list[Any]:
    """Return the identifiers as values of a model's field, without those that cannot be one."""
    return [key for one in identifiers if (key := _key(field, one)) is not None]


def _key(field: Any, identifier: str) -> Any:
    key = _typed(field, identifier, None)
    # SQLite raises for larger ones instead of finding nothing.
    return None if isinstance(key, int) and not -(2**63) <= key < 2**63 else key


def _typed(field: Any, value: Any, fallback: Any) -> Any:
    try:
        return field.to_python(value)
    except (ValueError, TypeError, AttributeError):
        return fallback
    except Exception as error:
        # Django's ValidationError, which this layer may not import.
        if type(error).__name__ == "ValidationError":
            return fallback
        raise
