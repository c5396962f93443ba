"""The configuration.

settings.py   the table of settings: one row for each
kinds.py      the kinds of setting: how each is parsed, checked and written
quantities.py the kinds with a number: counts, times, sizes, rates
addresses.py  the kinds with an address: origins, URLs, hosts, networks
load.py       loads files, environment and flags into one checked configuration
text.py       chatd.toml and docs/settings.md, printed from the rows
"""
