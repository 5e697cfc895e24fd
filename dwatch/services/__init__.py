"""One function for each thing a person or a program can ask of dwatch.

Every face (command line, management commands, web, tasks) calls these and
nothing below them; none of the faces holds a rule.
"""
