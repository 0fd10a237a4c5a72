/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* The record that the kernel side hands to the user side; xdp/src/record.rs reads the same offsets. */
#ifndef WIRESPAN_SOCK_IO_H
#define WIRESPAN_SOCK_IO_H

#include <linux/types.h>

enum sock_io_kind {
	SOCK_IO_NONE,
	SOCK_IO_SEND,
	SOCK_IO_RECEIVE,
	SOCK_IO_CONNECT,
	SOCK_IO_ACCEPT,
	SOCK_IO_CLOSE,
};

struct sock_io {
	__u64 cookie;
	__u64 enter_ns; /* CLOCK_MONOTONIC */
	__u64 exit_ns;
	__u64 cgroup;
	__u32 pid;
	__u32 tid;
	__u32 seq_start;
	__u32 seq_end;
	__u8 kind;   /* enum sock_io_kind */
	__u8 family; /* AF_INET or AF_INET6 */
	__u16 local_port;  /* host byte order */
	__u16 remote_port; /* host byte order */
	__u16 reserved;
	__u8 local[16];  /* network byte order; IPv4 in the first four bytes */
	__u8 remote[16];
	char command[16];
};

enum sock_io_counter {
	LOST_RING_FULL,  /* record not written: no room in the ring buffer */
	LOST_NO_STORAGE, /* call not followed: no memory for the thread's state */
	COUNTERS,
};

#endif
