"""Tables become pictures: ladder, swimlane, population. `palette` is what all of them share."""
