"""An email when the stock of a product falls to a level (see README.md)."""
