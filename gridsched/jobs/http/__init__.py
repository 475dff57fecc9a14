"""HTTP tasks: requests to hosts of an allow-list, and what becomes of what they answer."""
