/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* What both ways to record calls share: whose calls count, what is known of a thread and of a socket. */
#ifndef WIRESPAN_SOCKET_H
#define WIRESPAN_SOCKET_H

#include "kernel.h"
#include "sock_io.h"

#include "ring.h"

#include <bpf/bpf_endian.h>

#define IGNORED 8

/* Thread group ids whose calls are not recorded; 0 ends the list. */
const volatile __u32 ignored_pids[IGNORED] = {};

/* The loader's thread group id in the initial pid namespace, which it may not be able to know. */
__u32 loader_pid = 0;

/* Whose records are wanted, once that is known of a thread. */
enum attention {
	NOT_KNOWN,
	RECORDED,
	IGNORED_THREAD,
};

struct thread {
	/* The system call that is under way. */
	__u64 enter_ns;
	struct sock *sk;
	__u32 seq;
	__s32 nr; /* system call number */
	__u8 kind;
	__u8 state;       /* skc_state at entry */
	__u8 by_sequence; /* the return value is no number of bytes */
	/* Of the last record: who and which connection, good for as long as the socket has this cookie. */
	struct sock *known_sk;
	struct sock_io known;
	/* When the last call that has a record ended. */
	__u64 last_ns;
	/* What the last record of the thread said, see socket_tracepoints.h. */
	__u64 id;
	__u64 cgroup;
	__u64 command[2];
	__u32 epoch;
	__u8 attention;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

static __always_inline bool ignored(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (pid == loader_pid)
		return true;
	for (int i = 0; i < IGNORED; i++) {
		if (!ignored_pids[i])
			break;
		if (pid == ignored_pids[i])
			return true;
	}
	return false;
}

/* Whether a socket is a TCP socket of IPv4 or IPv6, and its state. */
static __always_inline bool is_tcp(struct sock *sk, __u8 *state)
{
	__u16 family;

	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP || BPF_CORE_READ(sk, sk_type) != SOCK_STREAM)
		return false;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return false;
	*state = BPF_CORE_READ(sk, __sk_common.skc_state);
	return true;
}

/*
 * Cookies are made when a socket's state first changes (see on_state) or when the programs are loaded
 * (see cookie_of_file). Without those programs a socket may have none: its address, which is
 * unique while the socket lives, then stands for it, with the topmost bit set and scrambled.
 */
static __always_inline __u64 cookie_of(struct sock *sk)
{
	__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);

	if (cookie)
		return cookie;
	return ((__u64)sk * 0x9e3779b97f4a7c15ULL) | (1ULL << 63);
}

/* Fills in which connection the socket holds. */
static __always_inline void describe(struct socket_record *record, struct sock *sk, __u64 cookie)
{
	struct inet_sock *inet = (struct inet_sock *)sk;

	record->cookie = cookie;
	record->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	record->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	record->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	record->reserved = 0;
	if (record->family == AF_INET) {
		__u64 pair = BPF_CORE_READ(sk, __sk_common.skc_addrpair);

		/* Both addresses lie in memory as on the wire, the remote one first. */
		__builtin_memset(record->local, 0, sizeof(record->local));
		__builtin_memset(record->remote, 0, sizeof(record->remote));
		__builtin_memcpy(record->remote, &pair, 4);
		__builtin_memcpy(record->local, (char *)&pair + 4, 4);
	} else {
		BPF_CORE_READ_INTO(&record->local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&record->remote, sk, __sk_common.skc_v6_daddr);
	}
}

/*
 * Whether the number before this one was the peer's FIN, which readers take like a byte. The state
 * does not tell: the socket of a side that sent its FIN first is closed as soon as the peer's comes.
 */
static __always_inline bool fin_was_read(struct sock *sk, __u32 copied_seq)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	return (BPF_CORE_READ(sk, __sk_common.skc_flags) & (1UL << SOCK_DONE)) &&
	       BPF_CORE_READ(tcp, rcv_nxt) == copied_seq;
}

#endif
