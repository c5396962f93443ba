"""`chatd chat`: a conversation on a terminal or a pipe, with chatd.client."""
