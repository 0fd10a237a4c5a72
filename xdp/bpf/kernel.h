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
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_CLOSING 11
#define MSG_PEEK 2
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
	struct files_struct *files;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

#pragma clang attribute pop

#endif
