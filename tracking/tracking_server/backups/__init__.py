"""Archives where they are kept, in folders and stores: taken, found, read back, and removed when they are too old."""
