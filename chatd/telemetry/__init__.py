"""The log, the metrics, and what must not stand in either."""
