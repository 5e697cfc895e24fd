"""Rows that refer to what is not there."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import connections, router
from django.db.models import Exists, F, OuterRef, Q, UUIDField, Value
from django.db.models.functions import Cast, Lower, Replace

from dwatch.builtin.attributes import chosen_fields
from dwatch.builtin.defects import DefectiveRows, is_text
from dwatch.exceptions import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model, QuerySet


class Orphans(DefectiveRows):
    """Finds rows whose foreign keys, generic ones included, point nowhere.

    As ``db_constraint=False``, raw SQL and switched off constraints leave them. A
    key that is NULL points nowhere on purpose.
    """

    fields: ClassVar[Iterable[str]] = ()
    """Foreign keys and generic foreign keys; by default all of the model."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.model_class is None or cls.description:
            return
        try:
            columns = _columns(_references(cls, cls.model_class))
        except DefinitionError:
            return  # said when it is registered
        # Not str(instance): that may well follow the very key that points nowhere.
        named = ", ".join(f"{name} {{{name}}}" for name in columns)
        cls.description = f"{cls.model_class.__name__} {{pk}}: {named}"
        if not cls.data_fields:
            cls.data_fields = columns

    def condition(self, rows: QuerySet[Any]) -> Q:
        """Return that any of the keys points nowhere."""
        return reduce(or_, (_dangles(rows, field) for field in _references(type(self), rows.model)))

    @classmethod
    def refuse_fields(cls, model: type[Model]) -> None:
        """Raise DefinitionError for a field that refers to nothing."""
        _references(cls, model)


def _references(kind: Any, model: type[Model]) -> list[Any]:
    generic = [f for f in model._meta.private_fields if isinstance(f, GenericForeignKey)]
    # A row of a child table is nothing without its parent's; Django's joins hide it.
    known = [*model._meta.concrete_fields, *generic]
    return chosen_fields(kind, model, _refers, "foreign key", known)


def _refers(field: Any) -> bool:
    return isinstance(field, GenericForeignKey) or bool(field.many_to_one or field.one_to_one)


def _columns(fields: Iterable[Any]) -> tuple[str, ...]:
    names: list[str] = []
    for field in fields:
        if isinstance(field, GenericForeignKey):
            names += [field.ct_field, field.fk_field]
        else:
            names.append(field.attname)
    return tuple(dict.fromkeys(names))


def _dangles(rows: QuerySet[Any], field: Any) -> Q:
    if isinstance(field, GenericForeignKey):
        return _generic_dangles(rows, field)
    target = field.remote_field.model
    _refuse_other_database(rows, target)
    aim = field.target_field.attname
    there = target._base_manager.using(rows.db).filter(**{aim: OuterRef(field.attname)})
    return Q(**{f"{field.attname}__isnull": False}) & ~Q(Exists(there))


def _generic_dangles(rows: QuerySet[Any], field: GenericForeignKey) -> Q:
    set_at_all = Q(**{f"{field.fk_field}__isnull": False})
    types = rows.order_by().values_list(field.ct_field, flat=True).distinct()
    dangles = Q(pk__in=[])
    for key in sorted(key for key in types if key is not None):
        of_type = Q(**{field.ct_field: key})
        target = _model(rows, key)
        if target is None:  # the model itself is gone
            dangles |= of_type
        else:
            dangles |= of_type & ~Q(Exists(_named_by(rows, field, target)))
    return set_at_all & dangles


def _model(rows: QuerySet[Any], key: Any) -> type[Model] | None:
    found = ContentType.objects.db_manager(rows.db).filter(pk=key).first()
    return None if found is None else found.model_class()


def _named_by(rows: QuerySet[Any], field: GenericForeignKey, target: type[Model]) -> QuerySet[Any]:
    """Return the row that the generic key names; its type may be another than the key's."""
    _refuse_other_database(rows, target)
    aim = target._meta.pk
    objects = target._base_manager.using(rows.db)
    named: Any = OuterRef(field.fk_field)
    holder = rows.model._meta.get_field(field.fk_field)
    if not is_text(holder) or is_text(aim):
        return objects.filter(pk=named)
    if isinstance(aim, UUIDField) and not connections[rows.db].features.has_native_uuid_field:
        named = Replace(named, Value("-"), Value(""))
    spelled = Lower(Cast(F("pk"), type(holder)(**_length(holder))))
    found: QuerySet[Any] = objects.alias(dwatch_key=spelled).filter(dwatch_key=Lower(named))
    return found


def _length(holder: Any) -> dict[str, Any]:
    return {"max_length": holder.max_length} if holder.max_length else {}


def _refuse_other_database(rows: QuerySet[Any], target: type[Model]) -> None:
    elsewhere = router.db_for_read(target)
    # Replicas of one database have one name.
    if elsewhere != rows.db and _database_name(elsewhere) != _database_name(rows.db):
        raise DefinitionError(
            f"{target.__name__} is in database {elsewhere!r}, {rows.model.__name__} in {rows.db!r}",
            "One query cannot see both: leave that field out of `fields`.",
        )


def _database_name(alias: str) -> str:
    return str(connections.settings.get(alias, {}).get("NAME"))
