"""The kernel's side of tracing: what is enabled, what happens when a probe fires, buffers, speculations, time."""
