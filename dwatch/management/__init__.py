"""Django's own command line: ``manage.py dwatch_...``."""
