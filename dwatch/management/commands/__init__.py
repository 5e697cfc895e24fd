"""Thin wrappers around :mod:`dwatch.cli.commands`."""
