"""Drawn training pictures of bar codes and 2D codes, with exact boxes."""
