"""URI and path to key; refuses traversal. Pure."""
