"""The organiser's half: it reads what runs left behind, and runs inside no submission."""
