"""The machine learning engineer's six rooms: deploy, bench, track, optimize, flow, maintain. A room exists once it works."""
