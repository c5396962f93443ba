"""The chat that the shell has: a conversation on a terminal or a pipe, over chatd.client."""
