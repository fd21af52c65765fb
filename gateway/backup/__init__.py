"""Takes backups of the record while it is in use, and puts them back."""
