"""Alerts: seen in what runs leave behind, put down once, and delivered until they have arrived."""
