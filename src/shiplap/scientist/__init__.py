"""The data scientist's rooms: explore, assess, train, present. A room exists once it works."""
