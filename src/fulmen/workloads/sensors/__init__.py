"""Tables of sensor readings: which machine needs maintenance, and which model to trust."""
