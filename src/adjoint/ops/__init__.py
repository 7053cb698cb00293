"""The calculus: every op beside its derivative, in families."""
