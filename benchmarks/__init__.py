"""The whole comparison: ``python -m benchmarks`` (or ``make bench``); see docs/benchmarks.md."""
