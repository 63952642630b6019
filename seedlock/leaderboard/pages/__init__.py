"""The pages, for people, with sessions in a cookie."""
