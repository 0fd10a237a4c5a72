// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * Writes one record for each system call that moves bytes through a TCP socket, opens, accepts or closes
 * one.
 *
 * Each system call has its own pair of tracepoints: these calls cost a little more than with one program
 * behind sys_enter and sys_exit, and all other calls a quarter of that. At entry the program follows the
 * descriptor to the socket (task -> files -> fdtable -> file -> socket -> sock) and keeps the sequence
 * number before the call in the thread's storage; at exit the number after the call gives the range of
 * bytes. Calls on other descriptors write nothing, nor do calls that move no bytes.
 */
#include "kernel.h"
#include "sock_io.h"

#include "ring.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define IGNORED 8

/* Thread group ids whose calls are not recorded; 0 ends the list. */
const volatile __u32 ignored_pids[IGNORED] = {};

/* The loader's thread group id in the initial pid namespace, which it may not be able to know. */
__u32 loader_pid = 0;

struct pending {
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
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pending);
} calls SEC(".maps");

struct enter {
	__u64 common;
	__s32 nr;
	__u32 pad;
	__u64 arg[6];
};

struct exit {
	__u64 common;
	__s32 nr;
	__u32 pad;
	__s64 ret;
};

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

/* The socket behind a descriptor of the current process, NULL if it is anything else. */
static __always_inline struct sock *socket_of(struct task_struct *task, __u32 fd)
{
	struct files_struct *files = task->files;
	struct fdtable *fdt;
	struct file **slots, *file = NULL;
	struct socket *socket;

	if (!files)
		return NULL;
	fdt = files->fdt;
	if (!fdt || fd >= fdt->max_fds)
		return NULL;
	slots = fdt->fd;
	if (bpf_probe_read_kernel(&file, sizeof(file), slots + fd) || !file)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	if (!socket || BPF_CORE_READ(socket, file) != file)
		return NULL;
	return BPF_CORE_READ(socket, sk);
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

/* Whether the thread's last record was about this very socket, and not about one before it at the same address. */
static __always_inline bool is_known(struct pending *call, struct sock *sk)
{
	return call->known_sk == sk && BPF_CORE_READ(sk, __sk_common.skc_cookie.counter) == call->known.cookie;
}

static __always_inline __u32 sequence(struct sock *sk, __u8 kind)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	return kind == SOCK_IO_RECEIVE ? BPF_CORE_READ(tcp, copied_seq) : BPF_CORE_READ(tcp, write_seq);
}

/*
 * Cookies are made when a socket's state first changes (see cookie_on_state) or when the programs are loaded
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

static __always_inline void describe(struct pending *call, struct sock *sk)
{
	struct sock_io *record = &call->known;
	struct inet_sock *inet = (struct inet_sock *)sk;
	__u64 id = bpf_get_current_pid_tgid();

	record->cookie = cookie_of(sk);
	record->pid = id >> 32;
	record->tid = id;
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
	call->known_sk = sk;
}

/* A record about the socket that is known. */
static __always_inline void emit(struct pending *call, __u8 kind, __u32 start, __u32 end)
{
	struct sock_io *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record) {
		count(LOST_RING_FULL);
		return;
	}
	__builtin_memcpy(record, &call->known, sizeof(*record));
	record->enter_ns = call->enter_ns;
	record->exit_ns = bpf_ktime_get_ns();
	record->cgroup = bpf_get_current_cgroup_id();
	record->seq_start = start;
	record->seq_end = end;
	record->kind = kind;
	bpf_get_current_comm(record->command, sizeof(record->command));
	bpf_ringbuf_submit(record, wakeup());
}

static __always_inline bool enter(struct enter *ctx, __u32 fd, __u8 kind, bool by_sequence)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk = socket_of(task, fd);
	struct pending *call;
	__u8 state = 0;

	if (!sk)
		return false;
	call = bpf_task_storage_get(&calls, task, NULL, 0);
	if (!call || !is_known(call, sk) || kind == SOCK_IO_CONNECT) {
		if (!is_tcp(sk, &state) || (state == TCP_LISTEN && kind != SOCK_IO_ACCEPT) || ignored())
			return false;
		if (!call)
			call = bpf_task_storage_get(&calls, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!call) {
			count(LOST_NO_STORAGE);
			return false;
		}
		call->known_sk = NULL;
	}
	call->enter_ns = bpf_ktime_get_ns();
	call->sk = sk;
	call->seq = kind == SOCK_IO_ACCEPT ? 0 : sequence(sk, kind);
	call->nr = ctx->nr;
	call->kind = kind;
	call->state = state;
	call->by_sequence = by_sequence;
	return true;
}

/* Whether the number before this one was the peer's FIN, which readers take like a byte. */
static __always_inline bool fin_was_read(struct sock *sk, __u32 copied_seq)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	switch (BPF_CORE_READ(sk, __sk_common.skc_state)) {
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK:
	case TCP_CLOSING:
	case TCP_TIME_WAIT:
		return BPF_CORE_READ(tcp, rcv_nxt) == copied_seq;
	}
	return false;
}

/*
 * The range of bytes that the call moved, false if none.
 *
 * Where the numbers before and after differ by the return value there is no doubt. The number read may stand one
 * higher: the FIN has been read along with the last byte. In other cases another thread moved the same socket's
 * numbers in between; what was read at entry is older by as long as the call blocked, what was read at exit by
 * next to nothing, so the end counts. Under kTLS the numbers count records, not what the caller passed.
 */
static __always_inline bool moved(struct pending *call, __s64 ret, __u32 *start, __u32 *end)
{
	struct tcp_sock *tcp = (struct tcp_sock *)call->sk;
	__u32 after = sequence(call->sk, call->kind);
	__u32 length = after - call->seq;

	*start = call->seq;
	*end = after;
	if (!length)
		return false;
	if (call->by_sequence) {
		if (call->kind == SOCK_IO_RECEIVE && fin_was_read(call->sk, after))
			*end = after - 1;
		return *start != *end;
	}
	if (length == (__u32)ret)
		return true;
	if (call->kind == SOCK_IO_RECEIVE && length == (__u32)ret + 1) {
		*end = after - 1;
		return true;
	}
	if (BPF_CORE_READ(tcp, inet_conn.icsk_ulp_ops))
		return true;
	*start = after - (__u32)ret;
	return true;
}

static __always_inline struct pending *leave(struct exit *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pending *call = bpf_task_storage_get(&calls, task, NULL, 0);

	if (!call || call->kind == SOCK_IO_NONE || call->nr != ctx->nr)
		return NULL;
	return call;
}

static __always_inline int leave_io(struct exit *ctx)
{
	struct pending *call = leave(ctx);
	__u32 start, end;

	if (!call)
		return 0;
	if (ctx->ret > 0 && moved(call, ctx->ret, &start, &end)) {
		if (!call->known_sk)
			describe(call, call->sk);
		/* TCP Fast Open: the call that sends also opens the connection. */
		if (call->state == TCP_CLOSE && call->kind == SOCK_IO_SEND)
			emit(call, SOCK_IO_CONNECT, start, start);
		emit(call, call->kind, start, end);
	}
	call->kind = SOCK_IO_NONE;
	return 0;
}

#define IO(name, fd_arg, kind, by_sequence)                                                     \
	SEC("tracepoint/syscalls/sys_enter_" #name) int enter_##name(struct enter *ctx)         \
	{                                                                                       \
		enter(ctx, ctx->arg[fd_arg], kind, by_sequence);                                \
		return 0;                                                                       \
	}                                                                                       \
	SEC("tracepoint/syscalls/sys_exit_" #name) int exit_##name(struct exit *ctx)            \
	{                                                                                       \
		return leave_io(ctx);                                                           \
	}

/* As IO, for calls that can look at bytes without taking them. */
#define IO_UNLESS_PEEK(name, flags_arg, by_sequence)                                            \
	SEC("tracepoint/syscalls/sys_enter_" #name) int enter_##name(struct enter *ctx)         \
	{                                                                                       \
		if (!(ctx->arg[flags_arg] & MSG_PEEK))                                          \
			enter(ctx, ctx->arg[0], SOCK_IO_RECEIVE, by_sequence);                  \
		return 0;                                                                       \
	}                                                                                       \
	SEC("tracepoint/syscalls/sys_exit_" #name) int exit_##name(struct exit *ctx)            \
	{                                                                                       \
		return leave_io(ctx);                                                           \
	}

IO(write, 0, SOCK_IO_SEND, false)
IO(writev, 0, SOCK_IO_SEND, false)
IO(sendto, 0, SOCK_IO_SEND, false)
IO(sendmsg, 0, SOCK_IO_SEND, false)
IO(sendmmsg, 0, SOCK_IO_SEND, true)
IO(sendfile64, 0, SOCK_IO_SEND, false)
IO(read, 0, SOCK_IO_RECEIVE, false)
IO(readv, 0, SOCK_IO_RECEIVE, false)
IO_UNLESS_PEEK(recvfrom, 3, false)
IO_UNLESS_PEEK(recvmsg, 2, false)
IO_UNLESS_PEEK(recvmmsg, 3, true)

SEC("tracepoint/syscalls/sys_enter_splice") int enter_splice(struct enter *ctx)
{
	if (!enter(ctx, ctx->arg[0], SOCK_IO_RECEIVE, false))
		enter(ctx, ctx->arg[2], SOCK_IO_SEND, false);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_splice") int exit_splice(struct exit *ctx)
{
	return leave_io(ctx);
}

SEC("tracepoint/syscalls/sys_enter_connect") int enter_connect(struct enter *ctx)
{
	enter(ctx, ctx->arg[0], SOCK_IO_CONNECT, false);
	return 0;
}

/* The local port is chosen inside the call, so that only its end knows both addresses. */
SEC("tracepoint/syscalls/sys_exit_connect") int exit_connect(struct exit *ctx)
{
	struct pending *call = leave(ctx);
	struct sock *sk;
	__u32 seq;

	if (!call)
		return 0;
	call->kind = SOCK_IO_NONE;
	sk = call->sk;
	/* Interrupted, the connection goes on being opened. */
	if (ctx->ret != 0 && ctx->ret != -EINPROGRESS && ctx->ret != -EINTR && ctx->ret != -ERESTARTSYS)
		return 0;
	if (call->state == TCP_CLOSE && BPF_CORE_READ(sk, __sk_common.skc_dport)) {
		seq = sequence(sk, SOCK_IO_SEND);
		describe(call, sk);
		emit(call, SOCK_IO_CONNECT, seq, seq);
	}
	return 0;
}

static __always_inline int leave_accepting(struct exit *ctx)
{
	struct pending *call = leave(ctx);
	struct sock *sk;
	__u32 seq;
	__u8 state;

	if (!call)
		return 0;
	call->kind = SOCK_IO_NONE;
	if (ctx->ret < 0)
		return 0;
	sk = socket_of(bpf_get_current_task_btf(), ctx->ret);
	if (!sk || !is_tcp(sk, &state))
		return 0;
	seq = sequence(sk, SOCK_IO_SEND);
	describe(call, sk);
	emit(call, SOCK_IO_ACCEPT, seq, seq);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_accept") int enter_accept(struct enter *ctx)
{
	enter(ctx, ctx->arg[0], SOCK_IO_ACCEPT, false);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept") int exit_accept(struct exit *ctx)
{
	return leave_accepting(ctx);
}

SEC("tracepoint/syscalls/sys_enter_accept4") int enter_accept4(struct enter *ctx)
{
	enter(ctx, ctx->arg[0], SOCK_IO_ACCEPT, false);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept4") int exit_accept4(struct exit *ctx)
{
	return leave_accepting(ctx);
}

/* The socket may be gone when the call returns, so that it is described before. */
SEC("tracepoint/syscalls/sys_enter_close") int enter_close(struct enter *ctx)
{
	struct pending *call;

	if (!enter(ctx, ctx->arg[0], SOCK_IO_CLOSE, false))
		return 0;
	call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL, 0);
	if (call && !call->known_sk)
		describe(call, call->sk);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_close") int exit_close(struct exit *ctx)
{
	struct pending *call = leave(ctx);

	if (!call)
		return 0;
	call->kind = SOCK_IO_NONE;
	/* A socket that was never connected has nothing to close. */
	if (call->known.remote_port)
		emit(call, SOCK_IO_CLOSE, call->seq, call->seq);
	call->known_sk = NULL;
	return 0;
}

/* Every TCP socket gets its cookie before any call on it can be recorded. */
SEC("tp_btf/inet_sock_set_state") int BPF_PROG(cookie_on_state, struct sock *sk)
{
	bpf_get_socket_cookie(sk);
	return 0;
}

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

/* Run once when loaded: cookies for the sockets that exist already. */
SEC("iter/task_file") int cookie_of_file(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	loader_pid = bpf_get_current_pid_tgid() >> 32;
	if (!file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (sk && sk->sk_protocol == IPPROTO_TCP)
		bpf_get_socket_cookie(sk);
	return 0;
}
