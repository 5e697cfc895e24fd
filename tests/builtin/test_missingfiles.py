from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from dwatch.builtin import MissingFiles
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.models import Result
from dwatch.services.reports import StatusCounts
from tests.running import make_kind, refresh, run
from tests.testapp.models import Document, Item

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


class Unreachable(Storage):
    """A storage on a server that is down."""

    def exists(self, name: str) -> bool:
        raise ConnectionError(f"no route to {name}")


@pytest.mark.django_db
def test_files__that_are_not_there_are_found(media: Path) -> None:
    whole = Document.objects.create(title="whole")
    whole.file.save("a.txt", ContentFile(b"a"))
    whole.scan.save("b.txt", ContentFile(b"b"))
    Document.objects.create(title="no file at all")
    Document.objects.create(title="torn", file="a.txt", scan="scans/gone.txt")
    make_kind(MissingFiles, model_class=Document)
    assert run().counts == StatusCounts(critical=1, ok=1)
    assert Result.objects.problems().get().data == {"scan": "scans/gone.txt"}
    (media / "scans" / "gone.txt").write_text("back again")
    assert refresh().counts == StatusCounts(ok=2)
    (media / "a.txt").unlink()
    assert run().counts == StatusCounts(critical=2)
    Document.objects.update(file="", scan=None)
    assert run().vanished == 2


@pytest.mark.django_db
def test_fields__and_status_can_be_chosen(media: Path) -> None:
    Document.objects.create(file="gone.txt", scan="gone.txt")
    Document.objects.create(scan="gone.txt")
    make_kind(
        MissingFiles,
        queryset=Document.objects.all(),
        fields=("file",),
        status=Status.warning,
    )
    assert run().counts == StatusCounts(warning=1)
    assert list(media.iterdir()) == []


@pytest.mark.django_db
def test_storage__that_raises_is_unknown_unless_worse_is_known(
    media: Path, monkeypatch: Any
) -> None:
    (media / "there.txt").write_text("there")
    monkeypatch.setattr(Document._meta.get_field("scan"), "storage", Unreachable())
    Document.objects.create(title="who knows", file="there.txt", scan="x")
    Document.objects.create(title="torn", file="gone.txt", scan="x")
    make_kind(MissingFiles, model_class=Document)
    done = run()
    assert (done.counts, done.errors) == (StatusCounts(critical=1, unknown=1), 1)
    error = Result.objects.get(description="who knows").error
    assert error == "StorageFailedError: ConnectionError: no route to x"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"model_class": Item}, "Item has no file field"),
        ({"model_class": Document, "fields": ("title",)}, "title is no file field"),
        ({"model_class": Document, "status": "critical"}, "status is 'critical'"),
        ({"queryset": Document.objects}, "is a manager"),
    ],
)
def test_register__refuses_mistakes(members: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        make_kind(MissingFiles, **members)
    assert words in raised.value.message
    assert raised.value.hint
