"""dwatch as a Django app: loads the project's checks when Django is ready."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DwatchConfig(AppConfig):
    """Registers the project's checks and dwatch's own system checks."""

    name = "dwatch"
    verbose_name = _("dwatch")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Discover the checks; a module that cannot be imported is remembered, not raised."""
        from dwatch import discovery, system_checks
        from dwatch.core.check import BaseCheck
        from dwatch.store import configs

        BaseCheck.stored_config = staticmethod(configs.stored_config)
        system_checks.register_all()
        discovery.discover()
