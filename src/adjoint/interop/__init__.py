"""Good manners: other libraries' functions, called on our values."""
