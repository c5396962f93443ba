"""The framings: how the frames of protocol/frames.py are written on a wire."""
