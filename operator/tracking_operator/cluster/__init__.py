"""The only code that talks to an API server, or to what stands in for one."""
