"""Heavy libraries, one package each behind a small Protocol, found by name through a registry."""
