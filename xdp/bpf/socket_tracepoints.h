/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * Records of sends and receives by the tracepoints at the end of every one of them (sock_send_length and
 * sock_recv_length, Linux 6.3): whichever system call, io_uring operation or page transfer it was. Not by
 * them: what is spliced out of a socket.
 *
 * A tracepoint has the socket in hand, and runs in the thread that called. The number after the call and the
 * bytes that it moved give the range. Records of bytes are short: a record of the thread and one of the
 * socket goes before the first of them and again when either changes, or when the reader starts a new epoch
 * because it forgets. Without room for those, the record of the bytes is not written either.
 */
#ifndef WIRESPAN_SOCKET_TRACEPOINTS_H
#define WIRESPAN_SOCKET_TRACEPOINTS_H

#include "socket.h"

#include <bpf/bpf_tracing.h>

/* What is kept of a socket that bytes were moved through. */
struct traced_socket {
	__u64 sent_ns;     /* when the last send ended */
	__u32 sent_to;     /* number after its last byte */
	__u32 received_to; /* the same of receives */
	__u32 epoch;       /* in which its record was written */
	__u8 sent_known;
	__u8 received_known;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct traced_socket);
} sockets SEC(".maps");

/* The thread that opens a connection, where no system call of its own will tell. */
struct opener {
	__u64 enter_ns;
	__u64 cgroup;
	__u32 pid;
	__u32 tid;
	char command[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct opener);
} openers SEC(".maps");

/* Kept for the object's type information, which a test compares with what the user side reads. */
const struct sock_bytes *layout_of_bytes __attribute__((unused));
const struct thread_record *layout_of_thread __attribute__((unused));

/* How often the reader began to forget threads and sockets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} epoch SEC(".maps");

/* Counted from 1, so that new storage, which is zero, has no epoch. */
static __always_inline __u32 current_epoch(void)
{
	__u32 zero = 0, *value = bpf_map_lookup_elem(&epoch, &zero);

	return value ? *value + 1 : 1;
}

/* The state of this thread, NULL if its calls are not recorded. */
static __always_inline struct thread *thread_of(struct task_struct *task)
{
	struct thread *thread = bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!thread) {
		count(LOST_NO_STORAGE);
		return NULL;
	}
	/* The sockets of threads of the kernel (NFS, for example) belong to no process. */
	if (thread->attention == NOT_KNOWN)
		thread->attention = (task->flags & PF_KTHREAD) || ignored() ? IGNORED_THREAD : RECORDED;
	return thread->attention == RECORDED ? thread : NULL;
}

/* Writes the record of this thread if the last one is not true any more; false if it could not. */
static __always_inline bool tell_thread(struct thread *thread, __u32 now)
{
	__u64 id = bpf_get_current_pid_tgid(), cgroup = bpf_get_current_cgroup_id(), command[2];
	struct thread_record *record;

	bpf_get_current_comm(command, sizeof(command));
	if (thread->epoch == now && thread->id == id && thread->cgroup == cgroup &&
	    thread->command[0] == command[0] && thread->command[1] == command[1])
		return true;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return false;
	record->kind = THREAD;
	record->tid = id;
	record->pid = id >> 32;
	record->cgroup = cgroup;
	__builtin_memcpy(record->command, command, sizeof(command));
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	thread->epoch = now;
	thread->id = id;
	thread->cgroup = cgroup;
	thread->command[0] = command[0];
	thread->command[1] = command[1];
	return true;
}

/* The same of the socket. */
static __always_inline bool tell_socket(struct traced_socket *traced, struct sock *tcp, __u64 cookie,
					__u32 now)
{
	struct socket_record *record;

	if (traced->epoch == now)
		return true;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return false;
	describe(record, tcp, cookie);
	record->kind = SOCKET;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	traced->epoch = now;
	return true;
}

/* Where a connection stands at the end of a call. */
struct position {
	__u32 end; /* number after the bytes of the call */
	__u32 reserved;
	/* When the bytes under way, or acknowledged last, began to be sent; and the last segment of any kind. */
	__u64 first_sent_ns;
	__u64 last_sent_ns;
	__u8 counts_records; /* a protocol above TCP (kTLS) adds to what the caller passes */
	__u8 must_continue;  /* read while the connection is served: only good next to the range before */
};

static __always_inline bool tcp_position(struct sock *sk, bool send, struct position *position)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	if (!tcp)
		return false;
	position->end = send ? tcp->write_seq : tcp->copied_seq;
	/* See fin_was_read. */
	if (!send && (sk->__sk_common.skc_flags & (1UL << SOCK_DONE)) && tcp->rcv_nxt == position->end)
		position->end -= 1;
	position->first_sent_ns = tcp->first_tx_mstamp * 1000;
	position->last_sent_ns = tcp->tcp_wstamp_ns;
	position->counts_records = tcp->inet_conn.icsk_ulp_ops != NULL;
	position->must_continue = false;
	return true;
}

/*
 * The position of an MPTCP socket in its first connection's stream, false if that cannot be known: with more
 * than one connection the bytes may have taken any. What the socket holds back on their way to the
 * connection, or has taken from it and not given to the reader, counts.
 */
static __always_inline bool mptcp_position(struct mptcp_sock *mptcp, struct sock *first, bool send,
					   struct position *position)
{
	struct tcp_sock *tcp = (struct tcp_sock *)first;

	if (BPF_CORE_READ(mptcp, conn_list.next) != BPF_CORE_READ(mptcp, conn_list.prev))
		return false;
	if (send) {
		position->end = BPF_CORE_READ(tcp, write_seq) +
				(__u32)(BPF_CORE_READ(mptcp, write_seq) - BPF_CORE_READ(mptcp, snd_nxt));
	} else {
		if (!bpf_core_field_exists(mptcp->bytes_consumed)) /* not in every kernel that has MPTCP */
			return false;
		position->end = BPF_CORE_READ(tcp, copied_seq) -
				(__u32)(BPF_CORE_READ(mptcp, bytes_received) - BPF_CORE_READ(mptcp, bytes_consumed));
	}
	position->first_sent_ns = BPF_CORE_READ(tcp, first_tx_mstamp) * 1000;
	position->last_sent_ns = BPF_CORE_READ(tcp, tcp_wstamp_ns);
	position->counts_records = false;
	position->must_continue = true;
	return true;
}

/*
 * When a send began that ends now. The tracepoint does not tell, but the bytes left when the connection sent
 * them: the first of the two times that lies within this call, as far as can be known. It lies there if it is
 * later than the thread's last call and the socket's last send. A send that blocked has sent its first bytes
 * earlier than that. Bytes that wait for the peer or for more of them leave after the call: then it is now.
 */
static __always_inline __u64 send_began(struct position *position, struct thread *thread,
					struct traced_socket *traced, __u64 now)
{
	__u64 after = thread->last_ns > traced->sent_ns ? thread->last_ns : traced->sent_ns;

	if (position->first_sent_ns > after && position->first_sent_ns <= now)
		return position->first_sent_ns;
	if (position->last_sent_ns > after && position->last_sent_ns <= now)
		return position->last_sent_ns;
	return now;
}

/*
 * Where the range of a call's bytes begins, false if it has none. They end where the connection stands now; a
 * range that counts records begins where the one before ended, and the part of a record that is read later has
 * none.
 */
static __always_inline bool range_start(struct position *position, struct traced_socket *traced, bool send,
					__u32 length, __u32 *start)
{
	__u32 before = send ? traced->sent_to : traced->received_to;
	bool known = send ? traced->sent_known : traced->received_known;

	*start = position->end - length;
	if (known && position->must_continue && *start != before) {
		if (send)
			traced->sent_known = false;
		else
			traced->received_known = false;
		count(LOST_NO_RANGE);
		return false;
	}
	if (known && position->counts_records)
		*start = before;
	if (send) {
		traced->sent_to = position->end;
		traced->sent_known = true;
	} else {
		traced->received_to = position->end;
		traced->received_known = true;
	}
	return *start != position->end;
}

/* A record that the opener's connection is open. */
static __always_inline void tell_opened(struct sock *sk, struct opener *opener)
{
	struct sock_io *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	if (!record) {
		count(LOST_RING_FULL);
		return;
	}
	describe(&record->socket, sk, bpf_get_socket_cookie(sk));
	record->socket.kind = SOCK_IO_CONNECT;
	record->enter_ns = opener->enter_ns;
	record->exit_ns = bpf_ktime_get_ns();
	record->cgroup = opener->cgroup;
	record->pid = opener->pid;
	record->tid = opener->tid;
	record->seq_start = BPF_CORE_READ(tcp, write_seq);
	record->seq_end = record->seq_start;
	__builtin_memcpy(record->command, opener->command, sizeof(record->command));
	bpf_ringbuf_submit(record, wakeup());
}

static __always_inline int on_bytes(struct sock *sk, bool send, int length)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct position position;
	struct sock *tcp = sk;
	struct traced_socket *traced;
	struct thread *thread;
	struct sock_bytes *record;
	__u64 cookie = 0;
	__u32 start, now;

	if (length <= 0 || sk->sk_type != SOCK_STREAM)
		return 0;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return 0;
	if (sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_MPTCP)
		return 0;
	thread = thread_of(task);
	if (!thread)
		return 0;
	if (sk->sk_protocol == IPPROTO_MPTCP) {
		tcp = BPF_CORE_READ((struct mptcp_sock *)sk, first);
		if (!tcp || !mptcp_position((struct mptcp_sock *)sk, tcp, send, &position)) {
			count(LOST_NO_RANGE);
			return 0;
		}
		cookie = BPF_CORE_READ(tcp, __sk_common.skc_cookie.counter);
	} else if (!tcp_position(sk, send, &position)) {
		return 0;
	}
	if (!cookie)
		cookie = bpf_get_socket_cookie(sk);
	traced = bpf_sk_storage_get(&sockets, sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!traced) {
		count(LOST_NO_STORAGE);
		return 0;
	}
	if (!range_start(&position, traced, send, length, &start))
		return 0;
	now = current_epoch();
	if (!tell_thread(thread, now) || !tell_socket(traced, tcp, cookie, now)) {
		count(LOST_RING_FULL);
		return 0;
	}
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		count(LOST_RING_FULL);
		return 0;
	}
	record->kind = send ? BYTES_SENT : BYTES_RECEIVED;
	record->tid = thread->id;
	record->cookie = cookie;
	record->exit_ns = bpf_ktime_get_ns();
	record->enter_ns = send ? send_began(&position, thread, traced, record->exit_ns) : record->exit_ns;
	record->seq_start = start;
	record->seq_end = position.end;
	thread->last_ns = record->exit_ns;
	if (send)
		traced->sent_ns = record->exit_ns;
	bpf_ringbuf_submit(record, wakeup());
	return 0;
}

SEC("tp_btf/sock_send_length") int BPF_PROG(bytes_sent, struct sock *sk, int length, int flags)
{
	return on_bytes(sk, true, length);
}

SEC("tp_btf/sock_recv_length") int BPF_PROG(bytes_received, struct sock *sk, int length, int flags)
{
	/* Bytes that stay, reports of errors, and the urgent byte, which is not in the stream. */
	if (flags & (MSG_PEEK | MSG_ERRQUEUE | MSG_OOB))
		return 0;
	return on_bytes(sk, false, length);
}

/*
 * Connections opened by no connect(2) on a TCP socket (io_uring, Fast Open, MPTCP) are recorded when they are
 * open, with the thread that asked: only then both ports are known and the thread may be elsewhere.
 */
static __always_inline void on_opening(struct sock *sk, int state)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct opener *opener;
	struct thread *thread;
	__u64 id;

	if (sk->sk_type != SOCK_STREAM)
		return;
	if (state == TCP_ESTABLISHED) {
		opener = bpf_sk_storage_get(&openers, sk, NULL, 0);
		if (opener) {
			tell_opened(sk, opener);
			bpf_sk_storage_delete(&openers, sk);
		}
		return;
	}
	if (state != TCP_SYN_SENT)
		return;
	/* The socket may be used for another connection now. */
	bpf_sk_storage_delete(&sockets, sk);
	bpf_sk_storage_delete(&openers, sk);
	/* An MPTCP socket passes through the states of its first connection, which is told of itself. */
	if (sk->sk_protocol != IPPROTO_TCP)
		return;
	thread = thread_of(task);
	if (!thread || (thread->kind == SOCK_IO_CONNECT && thread->sk == sk))
		return;
	opener = bpf_sk_storage_get(&openers, sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!opener) {
		count(LOST_NO_STORAGE);
		return;
	}
	id = bpf_get_current_pid_tgid();
	opener->enter_ns = bpf_ktime_get_ns();
	opener->cgroup = bpf_get_current_cgroup_id();
	opener->pid = id >> 32;
	opener->tid = id;
	bpf_get_current_comm(opener->command, sizeof(opener->command));
}

#endif
