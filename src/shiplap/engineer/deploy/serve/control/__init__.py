"""Which ships are served, in how many processes, and how that changes while requests come in."""
