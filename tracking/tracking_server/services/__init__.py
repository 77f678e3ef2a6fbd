"""One function for each operation of the API: a request and a context in, an answer out, one transaction each."""
