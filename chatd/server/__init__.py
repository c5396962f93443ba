"""The process: what starts and stops, and what is at which path.

main.py        start, stop, and the nursery of the long-lived parts
router.py      what is at which path of the one port
limits.py      settings as the rules of the parts
machine.py     checks of the machine before the start: files, addresses, folders
retention.py   old events and sessions are removed
"""
