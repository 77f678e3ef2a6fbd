"""What the server is told at start."""
