"""One function per API operation, one transaction each."""
