"""System calls that a confined process may not make, by number; see ``syscalls(2)``.

Opening, reading and writing files is for Landlock to judge; what is refused here is everything that reaches further:
the network, other processes, other programs, the kernel, and changes to files that need no open file.
"""

from __future__ import annotations

__all__ = [
    "AUDIT_ARCH",
    "CAPSET",
    "CLONE",
    "CLONE3",
    "DENIED",
    "FCNTL",
    "IOCTL",
    "OWNED",
    "PRLIMIT",
    "UNKNOWN",
]

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = {"x86_64": 435, "aarch64": 435}
PRLIMIT = {"x86_64": 302, "aarch64": 261}
CAPSET = {"x86_64": 126, "aarch64": 91}
IOCTL = {"x86_64": 16, "aarch64": 29}
FCNTL = {"x86_64": 72, "aarch64": 25}
OWNED = (8, 10, 15)
"""Commands of ``fcntl`` that have the kernel send any signal to any process: F_SETOWN F_SETSIG F_SETOWN_EX."""
UNKNOWN = 467
"""The first number, the same everywhere, of calls that nobody has judged yet."""

_EVERYWHERE = (
    *(424, 434, 438, 440, 448),  # pidfd_send_signal pidfd_open pidfd_getfd process_madvise process_mrelease
    *(425, 426, 427),  # io_uring_setup io_uring_enter io_uring_register
    *(428, 429, 430, 431, 432, 433, 442, 443),  # open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr ...
    *(447, 452, 463, 466),  # memfd_secret fchmodat2 setxattrat removexattrat
)
DENIED: dict[str, tuple[int, ...]] = {
    "x86_64": (
        *_EVERYWHERE,
        *(41, 42, 43, 49, 50, 288),  # socket connect accept bind listen accept4
        *(57, 58, 59, 322),  # fork vfork execve execveat
        *(62, 129, 200, 234, 297),  # kill rt_sigqueueinfo tkill tgkill rt_tgsigqueueinfo
        *(101, 310, 311, 312),  # ptrace process_vm_readv process_vm_writev kcmp
        *(298, 321, 323),  # perf_event_open bpf userfaultfd
        *(155, 161, 165, 166, 272, 308),  # pivot_root chroot mount umount2 unshare setns
        *(103, 153, 159, 163, 164, 167, 168, 169, 170, 171, 172, 173, 179, 227, 305),  # the machine as a whole
        *(175, 176, 246, 313, 320),  # init_module delete_module kexec_load finit_module kexec_file_load
        *(76, 90, 91, 92, 93, 94, 132, 235, 260, 261, 268, 280),  # truncate chmod chown utime and their kin
        *(188, 189, 190, 197, 198, 199),  # setxattr removexattr and their kin
        *(300, 301, 303, 304),  # fanotify_init fanotify_mark name_to_handle_at open_by_handle_at
        *(248, 249, 250),  # add_key request_key keyctl
        *(29, 30, 31, 64, 65, 66, 68, 69, 70, 71, 220, 240, 241),  # shared memory, semaphores, message queues
        *(135, 141, 142, 144, 203, 251, 256, 279, 314),  # personality, priorities, pages of others
        *(154, 253, 294, 319),  # modify_ldt inotify_init inotify_init1 memfd_create
        *(105, 106, 113, 114, 116, 117, 119, 126, 160),  # users, groups, capabilities, setrlimit
    ),
    "aarch64": (
        *_EVERYWHERE,
        *(198, 200, 201, 202, 203, 242),
        *(221, 281),
        *(129, 130, 131, 138, 240),
        *(117, 270, 271, 272),
        *(241, 280, 282),
        *(39, 40, 41, 51, 97, 268),
        *(58, 60, 89, 112, 116, 142, 161, 162, 170, 171, 224, 225, 266),
        *(104, 105, 106, 273, 294),
        *(45, 52, 53, 54, 55, 88),
        *(5, 6, 7, 14, 15, 16),
        *(262, 263, 264, 265),
        *(217, 218, 219),
        *(180, 181, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196),
        *(30, 92, 118, 119, 122, 140, 238, 239, 274),
        *(26, 279),
        *(91, 143, 144, 145, 146, 147, 149, 159, 164),
    ),
}
