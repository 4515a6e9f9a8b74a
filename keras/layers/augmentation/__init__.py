"""Layers that change images: sizes, places and colors, with the boxes and masks that belong to them."""
