"""Records that authors made themselves: signed, checked against the round, replayed in part."""
