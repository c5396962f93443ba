"""The SQL statements of each noun, as functions of a transaction."""
