"""Files between this machine and where a run keeps its artifacts: through a tracking server, or in the store itself."""
