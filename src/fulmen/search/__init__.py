"""Many runs as one study: sampled, pruned, resumed, reported. Started by `python sweep.py experiment=<name>`."""
