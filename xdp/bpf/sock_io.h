/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* The records that the kernel side hands to the user side; xdp/src/record.rs reads the same offsets. */
#ifndef WIRESPAN_SOCK_IO_H
#define WIRESPAN_SOCK_IO_H

#include <linux/types.h>

/* The first byte of every record. */
enum record_kind {
	SOCK_IO_NONE,
	SOCK_IO_SEND,
	SOCK_IO_RECEIVE,
	SOCK_IO_CONNECT,
	SOCK_IO_ACCEPT,
	SOCK_IO_CLOSE,
	/* Of socket tracepoints, which tell who and which connection in records of their own. */
	BYTES_SENT,
	BYTES_RECEIVED,
	THREAD,
	SOCKET,
};

/* Which connection a socket holds from now on (as a record of its own: SOCKET). */
struct socket_record {
	__u8 kind;
	__u8 family; /* AF_INET or AF_INET6 */
	__u16 local_port;  /* host byte order */
	__u16 remote_port; /* host byte order */
	__u16 reserved;
	__u64 cookie;
	__u8 local[16]; /* network byte order; IPv4 in the first four bytes */
	__u8 remote[16];
};

/* One call, with all that is known of it. */
struct sock_io {
	struct socket_record socket; /* its kind is SOCK_IO_... */
	__u64 enter_ns;              /* CLOCK_MONOTONIC */
	__u64 exit_ns;
	__u64 cgroup;
	__u32 pid;
	__u32 tid;
	__u32 seq_start;
	__u32 seq_end;
	char command[16];
};

/* Bytes that the thread moved through the socket; records of both went before. */
struct sock_bytes {
	__u8 kind; /* BYTES_SENT or BYTES_RECEIVED */
	__u8 reserved[3];
	__u32 tid;
	__u64 cookie;
	__u64 enter_ns;
	__u64 exit_ns;
	__u32 seq_start;
	__u32 seq_end;
};

/* Who a thread is from now on. */
struct thread_record {
	__u8 kind; /* THREAD */
	__u8 reserved[3];
	__u32 tid;
	__u32 pid;
	__u32 reserved2;
	__u64 cgroup;
	char command[16];
};

enum sock_io_counter {
	LOST_RING_FULL,  /* record not written: no room in the ring buffer */
	LOST_NO_STORAGE, /* call not followed: no memory for the state of the thread or the socket */
	LOST_NO_RANGE,   /* record not written: the place of the bytes in TCP's stream is not known */
	COUNTERS,
};

#endif
