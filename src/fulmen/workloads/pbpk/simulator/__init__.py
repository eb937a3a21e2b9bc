"""Bodies, compounds and the ODE that makes the series."""
