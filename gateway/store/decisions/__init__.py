"""What people decided about doubts, and the doubts as they need to see them."""
