"""The rules of dwatch in plain Python: no Django, no terminal, no database."""
