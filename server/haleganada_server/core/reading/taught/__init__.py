"""Reading a page with what a workspace was taught: scores of groups of ink, and the best path through them."""
