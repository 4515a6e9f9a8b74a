"""Layers that prepare data: numbers, categories and text, in models and before them."""
