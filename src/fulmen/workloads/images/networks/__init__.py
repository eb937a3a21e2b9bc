"""Networks for small images. They know nothing of Lightning."""
