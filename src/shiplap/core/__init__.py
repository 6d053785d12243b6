"""The nouns that both boards share: what they are, how they are named, how they fail, how they are stored."""
