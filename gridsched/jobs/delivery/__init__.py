"""Deliveries: telling a subscriber of an event, by mail or by a POST."""
