"""Changes the configuration of a single result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dwatch.core.guard import Failure, attempt
from dwatch.exceptions import DefinitionError, UsageError
from dwatch.fields import as_json
from dwatch.services import selecting
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.refresh import refresh_results
from dwatch.services.requests import RefreshRequest, Selection
from dwatch.services.show import find_result
from dwatch.store.configs import save_config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dwatch.services.reports import RunReport


def configure(slug: str, identifier: str, values: Mapping[str, Any], *, user: Any) -> RunReport:
    """Store a result's configuration and re-check exactly that payload.

    ``values`` go through the check's form, as a submitted page would. Raises
    UsageError if the check has no form, the form refuses them or the result has
    vanished; DefinitionError for a check that cannot be made; UnknownCheckError
    and UnknownResultError.
    """
    form = _form(slug, values)
    if not form.is_valid():
        errors = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in form.errors.items())
        raise UsageError(f"the configuration of {slug} is refused: {errors}", "Mend the values.")
    with database_errors_in_words():
        result = find_result(slug, identifier)
        if result.vanished_at is not None:
            raise UsageError(
                f"the result for {identifier!r} has vanished",
                "It can be configured once a run has produced it again.",
            )
        save_config(result, as_json(form.cleaned_data), user, datetime.now(UTC))
    # One payload is not worth the start of a pool of workers.
    request = RefreshRequest(Selection(slugs=(slug,)), identifiers=(identifier,), workers=1)
    return refresh_results(request, user=user)


def _form(slug: str, values: Mapping[str, Any]) -> Any:
    check_class = selecting.get_check_class(slug)
    form_class = attempt(lambda: check_class().get_form_class())
    if isinstance(form_class, Failure):
        raise DefinitionError(f"{slug} cannot be configured: {form_class.error}", "Mend the check.")
    if form_class is None:
        raise UsageError(f"{slug} has nothing to configure", "Give the check a config_form.")
    return form_class(values)
