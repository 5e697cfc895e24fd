"""The command line: declarations, finding the project, running, wording errors."""
