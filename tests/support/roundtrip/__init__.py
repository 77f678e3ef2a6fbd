"""Archives of generated rows, from each engine to each and back: whatever fits comes over, and the rest is refused."""
