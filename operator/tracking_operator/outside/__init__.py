"""The same plan without a cluster: printed, or carried out as local processes."""
