"""Tests of the image, in the image: `make test-image`."""
