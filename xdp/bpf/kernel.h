/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The kernel types that the programs read, with the members that they read and no others. The
 * loader finds the real offsets in the running kernel's BTF (CO-RE), by the names of type and member.
 */
#ifndef WIRESPAN_KERNEL_H
#define WIRESPAN_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define SOCK_DONE 1 /* bit of skc_flags: the peer's FIN has arrived */
#define PF_KTHREAD 0x00200000
#define MSG_OOB 1
#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000
#define EINTR 4
#define EINPROGRESS 115
#define ERESTARTSYS 512

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	__u8 bytes[16];
};

typedef struct {
	__s64 counter;
} atomic64_t;

struct sock_common {
	__u64 skc_addrpair; /* skc_daddr, then skc_rcv_saddr */
	__be16 skc_dport;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned long skc_flags;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
};

struct inet_sock {
	__be16 inet_sport; /* kept when skc_num is given back at the end of the connection */
};

struct tcp_ulp_ops;

struct inet_connection_sock {
	const struct tcp_ulp_ops *icsk_ulp_ops;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 write_seq;
	__u32 copied_seq;
	__u32 rcv_nxt;
	/* When the first segment of those under way was sent, or the last one of those acknowledged. */
	__u64 first_tx_mstamp; /* us */
	__u64 tcp_wstamp_ns;   /* when the last segment was sent, an acknowledgement included */
};

struct list_head {
	struct list_head *next, *prev;
};

/* The socket of an application; the connections that carry its bytes are TCP sockets of their own. */
struct mptcp_sock {
	__u64 write_seq; /* of the application's stream, as all numbers here */
	__u64 snd_nxt;
	__u64 bytes_received;
	__u64 bytes_consumed;
	struct list_head conn_list;
	struct sock *first;
};

struct file;

struct socket {
	struct file *file;
	struct sock *sk;
};

struct file {
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	unsigned int flags;
	struct files_struct *files;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

#pragma clang attribute pop

#endif
