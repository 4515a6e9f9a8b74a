"""Speed and size: `python -m benchmarks` prints the table. See README.md."""
