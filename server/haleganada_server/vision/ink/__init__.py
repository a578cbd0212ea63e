"""Gray values -> ink: the drawing without paper, grain and specks, and how thick its lines are."""
