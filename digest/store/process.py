"""This process and others: what tells one from all that ever were, and whether it still runs."""

import os
import platform
import zlib
from pathlib import Path


def this_process() -> str:
    """The name of this process."""
    return process_name(platform.node(), boot_id(), os.getpid(), born(os.getpid()))


def process_name(host: str, boot: str, pid: int, born_at: int) -> str:
    """What a process is called at a PostgreSQL server (`application_name`, at most 63 letters), whoever asks."""
    return f"digest {zlib.crc32(f'{host} {boot}'.encode()):08x} {pid} {born_at}"


def boot_id() -> str:
    """What distinguishes this boot of this machine from others; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def born(pid: int) -> int:
    """When the kernel started a process, in ticks since boot (proc(5)): a number that its successor with the same pid does
    not share. 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def is_alive(pid: int, born_at: int) -> bool:
    """Whether the process of this machine that had this pid and was born then still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    now_born = born(pid)
    # Where the system hides other people's processes (proc(5), hidepid), silence must tell.
    return now_born == born_at or not (now_born and born_at)
