"""The tracking server behind this one: where it is, who we are to it, and calls to it over HTTP."""
