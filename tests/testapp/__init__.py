"""A small app whose rows the tests check."""
