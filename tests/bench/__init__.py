"""The benchmarks that tools/bench runs: this server beside its installed peers, in the same run."""
