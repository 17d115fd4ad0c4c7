"""The case file on screen: everything a person reads about a case and commands about it; alerts decides and keeps."""
