"""The framings: spellings of protocol/frames.py on a wire."""
