"""What the operator is told at start."""
