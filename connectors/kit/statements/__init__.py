"""Reads and writes the files in which institutions list a day's acts; knows no folder, no database and no clock."""
