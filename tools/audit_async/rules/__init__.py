"""The rules: what they report and suggest."""
