"""The log, the metrics, and the masking of secrets in the log."""
