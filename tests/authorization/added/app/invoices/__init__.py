"""Invoices and folders of users."""
