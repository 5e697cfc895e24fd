"""What dwatch remembers. Only :mod:`dwatch.store` writes these tables.

Hot rows (Result) are narrow; what people enter lives in tables of its own, so
that a result that vanishes and comes back finds it again.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dwatch.core.definition import MAX_SLUG_LENGTH
from dwatch.core.status import Status
from dwatch.fields import JSONTextField, KeyField
from dwatch.querysets import ResultQuerySet

STATUS_LABELS = {
    Status.unknown: _("Unknown"),
    Status.ok: _("OK"),
    Status.warning: _("Warning"),
    Status.critical: _("Critical"),
}
_STATUS_CHOICES = [(int(status), label) for status, label in STATUS_LABELS.items()]


class CheckState(models.Model):
    """One row per check: the slot handled last, who holds the lease, what has no result.

    ``unstored_*`` count the payloads that the last complete run knew of and made no
    results of: those that are fine, and those beyond a cap.
    """

    slug = KeyField(_("slug"), max_length=MAX_SLUG_LENGTH, unique=True)
    handled_slot = models.DateTimeField(_("handled slot"), null=True, blank=True)
    last_run_at = models.DateTimeField(_("last run"), null=True, blank=True)
    lease_token = models.CharField(_("lease token"), max_length=32, blank=True, default="")
    lease_owner = models.CharField(_("lease owner"), max_length=200, blank=True, default="")
    lease_since = models.DateTimeField(_("leased since"), null=True, blank=True)
    lease_expires = models.DateTimeField(_("lease expires"), null=True, blank=True)
    unstored_ok = models.PositiveBigIntegerField(_("OK without a result"), default=0)
    unstored_warning = models.PositiveBigIntegerField(_("warning without a result"), default=0)
    unstored_critical = models.PositiveBigIntegerField(_("critical without a result"), default=0)
    unstored_unknown = models.PositiveBigIntegerField(_("unknown without a result"), default=0)

    class Meta:
        verbose_name = _("check")
        verbose_name_plural = _("checks")

    def __str__(self) -> str:
        return self.slug

    @property
    def unstored(self) -> dict[Status, int]:
        """The payloads without a result, by status."""
        return {status: getattr(self, f"unstored_{status.name}") for status in Status}


class Run(models.Model):
    """One execution of one check."""

    class Reason(models.TextChoices):
        """Why the check ran."""

        SCHEDULE = "schedule", _("Schedule")
        FORCED = "forced", _("Forced")
        REFRESH = "refresh", _("Refresh")
        TRIGGER = "trigger", _("Trigger")
        WEB = "web", _("Web")

    class State(models.TextChoices):
        """How far it came."""

        RUNNING = "running", _("Running")
        COMPLETE = "complete", _("Complete")
        FAILED = "failed", _("Failed")
        INTERRUPTED = "interrupted", _("Interrupted")
        ABANDONED = "abandoned", _("Abandoned")

    check_state = models.ForeignKey(CheckState, models.CASCADE, related_name="runs")
    reason = models.CharField(_("reason"), max_length=10, choices=Reason.choices)
    state = models.CharField(
        _("state"), max_length=12, choices=State.choices, default=State.RUNNING
    )
    slot = models.DateTimeField(_("slot"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    ok = models.PositiveIntegerField(_("OK"), default=0)
    warning = models.PositiveIntegerField(_("warning"), default=0)
    critical = models.PositiveIntegerField(_("critical"), default=0)
    unknown = models.PositiveIntegerField(_("unknown"), default=0)
    errors = models.PositiveIntegerField(_("errors"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    vanished = models.PositiveIntegerField(_("vanished"), default=0)
    duplicates = models.PositiveIntegerField(_("duplicates"), default=0)
    status_changes = models.PositiveIntegerField(_("status changes"), default=0)
    error = models.TextField(_("error"), blank=True, default="")
    traceback = models.TextField(_("traceback"), blank=True, default="")
    host = models.CharField(_("host"), max_length=200, blank=True, default="")
    pid = models.PositiveIntegerField(_("process id"), default=0)
    version = models.CharField(_("dwatch version"), max_length=50, blank=True, default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes: ClassVar = [
            models.Index(fields=["check_state", "id"], name="dwatch_run_latest"),
            models.Index(fields=["check_state", "state"], name="dwatch_run_running"),
            models.Index(fields=["started_at"], name="dwatch_run_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.check_state} {self.started_at:%Y-%m-%d %H:%M}"


class Result(models.Model):
    """The latest outcome of one payload of one check.

    ``last_run`` holds a number and not a foreign key: it changes at every run,
    an index on it would have to change as well, and runs are cleaned up.
    """

    STATUS = Status

    check_state = models.ForeignKey(
        CheckState, models.CASCADE, related_name="results", db_index=False
    )
    identifier = KeyField(_("identifier"))
    long_identifier = models.TextField(_("whole identifier"), blank=True, default="")
    status = models.PositiveSmallIntegerField(_("status"), choices=_STATUS_CHOICES)
    since = models.DateTimeField(_("since"))
    first_seen = models.DateTimeField(_("first seen"))
    description = models.TextField(_("description"), blank=True, default="")
    data = JSONTextField(_("data"), default=dict)
    error = models.TextField(_("error"), blank=True, default="")
    traceback = models.TextField(_("traceback"), blank=True, default="")
    digest = models.BigIntegerField(_("digest"))
    evaluated_at = models.DateTimeField(_("as of"))
    last_run = models.BigIntegerField(_("number of the last run"), null=True, blank=True)
    vanished_at = models.DateTimeField(_("vanished at"), null=True, blank=True)

    assigned_users = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="AssignedUser",
        related_name="dwatch_results",
        blank=True,
        verbose_name=_("assigned users"),
    )
    assigned_groups = models.ManyToManyField(
        "auth.Group",
        through="AssignedGroup",
        related_name="dwatch_results",
        blank=True,
        verbose_name=_("assigned groups"),
    )

    objects = ResultQuerySet.as_manager()

    class Meta:
        verbose_name = _("result")
        verbose_name_plural = _("results")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["check_state", "identifier"], name="dwatch_result_unique"
            ),
        ]
        indexes: ClassVar = [
            # Counts per status are answered from this index alone, and the results of a
            # status are read in its order. A result that is only seen again is not moved in it.
            models.Index(
                fields=["check_state", "vanished_at", "status", "since"], name="dwatch_result_worst"
            ),
        ]
        permissions: ClassVar = [
            ("view", "Can view results dashboard and details"),
            ("acknowledge", "Can acknowledge results"),
            ("config", "Can change the configuration for results"),
            ("refresh", "Can refresh results"),
            ("tag", "Can add and remove tags on results"),
            ("assign", "Can assign users and groups to results"),
            ("run", "Can run checks"),
        ]

    def __str__(self) -> str:
        return f"{self.check_state} {self.identifier}"

    @property
    def full_identifier(self) -> str:
        """The identifier as the check gave it, however long."""
        return self.long_identifier or self.identifier


class Unconfirmed(models.Model):
    """A worse status that too few runs in a row have found for it to be shown.

    In a table of its own: checks without ``confirm_after`` never touch it. It counts
    only while ``evaluated_at`` is the result's own, so that a judgement which did not
    look here (``confirm_after`` was 1 then) leaves nothing behind that is believed.
    """

    result = models.OneToOneField(
        Result, models.CASCADE, primary_key=True, related_name="unconfirmed"
    )
    status = models.PositiveSmallIntegerField(_("status"), choices=_STATUS_CHOICES)
    runs = models.PositiveIntegerField(_("runs in a row"))
    since = models.DateTimeField(_("since"))
    description = models.TextField(_("description"), blank=True, default="")
    data = JSONTextField(_("data"), default=dict)
    evaluated_at = models.DateTimeField(_("as of"))

    class Meta:
        verbose_name = _("unconfirmed status")
        verbose_name_plural = _("unconfirmed statuses")

    def __str__(self) -> str:
        return f"{Status(self.status).name} in {self.runs} runs"


class StatusChange(models.Model):
    """A moment at which a result's status became another one; the first has no ``from``."""

    result = models.ForeignKey(Result, models.CASCADE, related_name="status_changes")
    from_status = models.PositiveSmallIntegerField(_("from"), choices=_STATUS_CHOICES, null=True)
    to_status = models.PositiveSmallIntegerField(_("to"), choices=_STATUS_CHOICES)
    changed_at = models.DateTimeField(_("changed at"))
    reason = models.CharField(_("reason"), max_length=10, choices=Run.Reason.choices)
    run = models.BigIntegerField(_("number of the run"), null=True, blank=True)

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        indexes: ClassVar = [
            models.Index(fields=["changed_at"], name="dwatch_change_by_date"),
        ]

    def __str__(self) -> str:
        before = Status(self.from_status).name if self.from_status is not None else "-"
        return f"{before} -> {Status(self.to_status).name}"


class Acknowledgement(models.Model):
    """Somebody's word that a problem is known, until a date. At most one per result is open."""

    class Ended(models.TextChoices):
        """Why it holds no longer (besides its date)."""

        RECOVERED = "recovered", _("Recovered")
        WORSENED = "worsened", _("Worsened")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        REPLACED = "replaced", _("Replaced")

    result = models.ForeignKey(Result, models.CASCADE, related_name="acknowledgements")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    user_name = models.CharField(_("user name"), max_length=254, blank=True, default="")
    status = models.PositiveSmallIntegerField(_("status acknowledged"), choices=_STATUS_CHOICES)
    reason = models.TextField(_("reason"), blank=True, default="")
    created_at = models.DateTimeField(_("acknowledged at"))
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended = models.CharField(
        _("ended"), max_length=10, choices=Ended.choices, blank=True, default=""
    )

    class Meta:
        verbose_name = _("acknowledgement")
        verbose_name_plural = _("acknowledgements")

    def __str__(self) -> str:
        return f"{self.user_name} until {self.until:%Y-%m-%d}"


class ResultConfig(models.Model):
    """What people configured for one result, over the initial values of the check's form."""

    result = models.OneToOneField(Result, models.CASCADE, related_name="stored_config")
    config = JSONTextField(_("configuration"), default=dict)
    changed_at = models.DateTimeField(_("changed at"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("configuration")
        verbose_name_plural = _("configurations")

    def __str__(self) -> str:
        return f"configuration of {self.result}"


class Tag(models.Model):
    """A word somebody put on a result."""

    class Type(models.IntegerChoices):
        """Its colour; the numbers are those of django-datawatch."""

        DEFAULT = 1, _("Grey")
        SUCCESS = 2, _("Green")
        INFO = 3, _("Blue")
        WARNING = 4, _("Yellow")
        IMPORTANT = 5, _("Red")

    result = models.ForeignKey(Result, models.CASCADE, related_name="tags")
    tag = models.CharField(_("tag"), max_length=50)
    type = models.PositiveSmallIntegerField(_("type"), choices=Type.choices, default=Type.DEFAULT)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["result", "tag"], name="dwatch_tag_unique"),
        ]

    def __str__(self) -> str:
        return self.tag


class AssignedUser(models.Model):
    """A user whom a check assigned to a result."""

    result = models.ForeignKey(Result, models.CASCADE, db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)

    class Meta:
        verbose_name = _("assigned user")
        verbose_name_plural = _("assigned users")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["result", "user"], name="dwatch_assigned_user_unique"),
        ]

    def __str__(self) -> str:
        return str(self.user)


class AssignedGroup(models.Model):
    """A group that a check assigned to a result."""

    result = models.ForeignKey(Result, models.CASCADE, db_index=False)
    group = models.ForeignKey("auth.Group", models.CASCADE)

    class Meta:
        verbose_name = _("assigned group")
        verbose_name_plural = _("assigned groups")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["result", "group"], name="dwatch_assigned_group_unique"
            ),
        ]

    def __str__(self) -> str:
        return str(self.group)
