"""Keeps the promises: accept, dispatch, settle, notify, reconcile, report."""
