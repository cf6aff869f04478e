"""What the service is compared with, each as small as its kind allows, on the same tables."""
