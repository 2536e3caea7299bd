"""Speed, measured: ``python -m benchmarks`` writes ``benchmarks/latest.json``."""
