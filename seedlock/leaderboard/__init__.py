"""The leaderboard: pages, interface and static export over the results of rounds."""
