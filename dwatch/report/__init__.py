"""How the services' reports look: terminal tables, plain text and JSON.

Three steps, each pure: a *builder* (``run``, ``listing``, ``results``, ...)
turns a report into a :class:`~dwatch.report.document.Document`; ``terminal``
and ``plain`` turn a document into text; ``schema`` turns a report into JSON.
Nothing here knows Django; the time zone is always handed in.
"""
