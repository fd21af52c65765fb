"""The messages that institutions send by themselves: committed raw, answered, and understood afterwards."""
