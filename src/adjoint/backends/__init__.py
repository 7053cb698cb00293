"""Arrays, as they come: which namespace they belong to, and what the array standard lacks."""
