"""What a store can raise; every message is one sentence without secrets."""


class StoreError(Exception):
    """The database cannot be used."""


class StorageFull(StoreError):
    """The disk is full: nothing of this write is stored. The store goes on when there is room again."""


class StoreUnavailable(StoreError):
    """The database did not answer; nothing of this write is stored."""


class CommitUnknown(StoreError):
    """The connection was lost during COMMIT: it may be stored. Look it up by its id; never assume."""
