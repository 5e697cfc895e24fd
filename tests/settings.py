"""Settings of the Django project that the tests run in."""

from __future__ import annotations

from tests.databases import chosen_database

SECRET_KEY = "only for tests"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "dwatch",
    "tests.testapp",
]
DATABASES = {"default": chosen_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIGRATION_MODULES = {"testapp": None}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TIME_ZONE = "Europe/Berlin"
USE_TZ = True
