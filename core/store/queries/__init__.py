"""What pages and commands read: one module a feature, plain rows out, paging by limit and offset."""
