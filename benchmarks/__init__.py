"""What the program costs, each figure beside its baseline: `python -m benchmarks`."""
