"""What the API speaks of: experiments, runs, metrics, models, and the requests about them. Frozen, pure."""
