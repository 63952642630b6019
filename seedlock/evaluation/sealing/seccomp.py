"""A filter of system calls for sandboxes without an engine, as the kernel takes it.

It refuses what the engines' default profile refuses to a process without capabilities
(docs.docker.com, "Seccomp security profiles for Docker"), ptrace besides, and personality(2)
left in, by which the order of addresses is fixed.
"""

from __future__ import annotations

import errno
import os
import struct

REFUSED = {
    "uselib": 134, "ustat": 136, "sysfs": 139, "vhangup": 153, "pivot_root": 155, "_sysctl": 156,
    "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167,
    "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172,
    "ioperm": 173, "create_module": 174, "init_module": 175, "delete_module": 176,
    "get_kernel_syms": 177, "query_module": 178, "quotactl": 179, "nfsservctl": 180,
    "ptrace": 101, "syslog": 103, "lookup_dcookie": 212, "clock_settime": 227, "mbind": 237,
    "set_mempolicy": 238, "get_mempolicy": 239, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "migrate_pages": 256, "unshare": 272, "move_pages": 279,
    "perf_event_open": 298, "fanotify_init": 300, "open_by_handle_at": 304, "clock_adjtime": 305,
    "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_getfd": 438, "mount_setattr": 442, "quotactl_fd": 443, "set_mempolicy_home_node": 450,
}  # fmt: skip
"""Calls and their numbers on x86-64 (linux, arch/x86/entry/syscalls/syscall_64.tbl)."""

MACHINE = "x86_64"
"""The one machine that numbers are known for; others get no filter, which is then not held."""

_ARCHITECTURE = 0xC000003E  # AUDIT_ARCH_X86_64
_X32 = 0x40000000  # calls of the x32 interface have this bit
_CLONE, _CLONE3 = 56, 435
_NAMESPACES = (
    0x7E020000  # CLONE_NEW*: mounts, control groups, names, IPC, users, processes, network
)

# struct seccomp_data: nr at 0, arch at 4, the arguments of 8 bytes from 16.
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF_*, bpf_common.h
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # SECCOMP_RET_*


def known() -> bool:
    """Tell whether the filter is for this machine."""
    return os.uname().machine == MACHINE


def program() -> bytes:
    """Return the filter as an array of `struct sock_filter` (linux, filter.h).

    clone3 is answered as unknown, since its flags lie in memory that a filter can't read; the C
    library then takes clone.
    """
    refuse = _statement(_RETURN, _ERRNO | errno.EPERM)
    lines = [
        _statement(_LOAD, _ARCH),
        _statement(_EQUAL, _ARCHITECTURE, 1, 0),
        _statement(_RETURN, _KILL),
        _statement(_LOAD, _NUMBER),
        _statement(_AT_LEAST, _X32, 0, 1),
        refuse,
        _statement(_EQUAL, _CLONE3, 0, 1),
        _statement(_RETURN, _ERRNO | errno.ENOSYS),
    ]
    for number in sorted(REFUSED.values()):
        lines += [_statement(_EQUAL, number, 0, 1), refuse]
    lines += [
        _statement(_EQUAL, _CLONE, 0, 3),
        _statement(_LOAD, _FIRST_ARGUMENT),
        _statement(_ANY_BIT, _NAMESPACES, 0, 1),
        refuse,
        _statement(_RETURN, _ALLOW),
    ]
    return b"".join(lines)


def _statement(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
