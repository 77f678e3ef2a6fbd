"""The filter and order_by language: text to tree. Pure."""
