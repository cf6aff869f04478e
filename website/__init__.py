"""The static site: an explorer of the services that the template renders, and its documentation."""
