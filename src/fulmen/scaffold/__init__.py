"""What `fulmen new` writes: a project of one's own, from the files in templates/."""
