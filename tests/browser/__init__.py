"""Work flows in a real browser, on a real server: `make test-browser`."""
