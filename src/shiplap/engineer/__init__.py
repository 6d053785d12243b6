"""The machine learning engineer's rooms: deploy, bench, flow. A room exists once it works."""
