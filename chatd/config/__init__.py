"""The configuration.

settings.py   every setting, one row each
kinds.py      the kinds of values that settings have
load.py       files, environment and flags become one checked configuration
text.py       chatd.toml and docs/settings.md, printed from the rows
"""
