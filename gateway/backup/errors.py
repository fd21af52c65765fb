"""What a backup or a restoration cannot do: one sentence in both languages, and nothing half written is left."""

import errno
from pathlib import Path


class BackupError(Exception):
    """It cannot go on; `ar` and `en` are the whole sentence."""

    def __init__(self, ar: str, en: str) -> None:
        super().__init__(en)
        self.ar, self.en = ar, en


def of_os(error: OSError, place: Path) -> BackupError:
    """The sentence for what the file system says."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(place)
    reason = error.strerror or type(error).__name__
    where = error.filename or place
    return BackupError(f"تعذّر الوصول إلى {where}: {reason}.", f"{where} cannot be used: {reason}.")


def full(place: Path) -> BackupError:
    """The disk is full."""
    return BackupError(
        f"القرص ممتلئ حيث {place}: لم يُحفظ شيء. أفرغ مساحة ثم أعد الأمر.",
        f"The disk of {place} is full: nothing was kept. Make room and repeat the command.",
    )


def damaged(what: str) -> BackupError:
    """A part is not what was written."""
    return BackupError(
        f"النسخة الاحتياطية تالفة: {what} ليس كما كُتب. استعمل نسخة أخرى.",
        f"The backup is damaged: {what} is not as it was written. Use another backup.",
    )
