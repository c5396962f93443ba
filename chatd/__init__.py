"""chatd: a self-hosted realtime chat and notification server on Trio."""

__version__ = "0.1.0"
