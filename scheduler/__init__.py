"""Keeps time: the timetable, the clock and the worker loop."""
