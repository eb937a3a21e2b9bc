"""What a row of sensor readings is turned into."""
