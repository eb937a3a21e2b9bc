"""Recurrent networks, each a list of layers. They know nothing of Lightning."""
