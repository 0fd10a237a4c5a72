// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * Writes one record for each system call that moves bytes through a TCP socket, opens, accepts or closes
 * one. Where the kernel can, those that move bytes are recorded by socket_tracepoints.h instead, and only
 * connect, accept, close and splice are followed here.
 *
 * Each system call has its own pair of tracepoints: these calls cost a little more than with one program
 * behind sys_enter and sys_exit, and all other calls a quarter of that. At entry the program follows the
 * descriptor to the socket (task -> files -> fdtable -> file -> socket -> sock) and keeps the sequence
 * number before the call in the thread's storage; at exit the number after the call gives the range of
 * bytes. Calls on other descriptors write nothing, nor do calls that move no bytes.
 */
#include "kernel.h"
#include "sock_io.h"
#include "socket.h"
#include "socket_tracepoints.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Whether sends and receives are recorded by socket tracepoints. */
const volatile bool socket_tracepoints = false;

/* Whether they see what is sent from files and pipes (Linux 6.5). */
const volatile bool pages_by_sendmsg = false;

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

/* The TCP socket that records of system calls name: that of the first connection for one of MPTCP. */
static __always_inline struct sock *carrier_of(struct sock *sk)
{
	if (socket_tracepoints && sk && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_MPTCP)
		return BPF_CORE_READ((struct mptcp_sock *)sk, first);
	return sk;
}

/* Whether the thread's last record was about this very socket, and not about one before it at the same address. */
static __always_inline bool is_known(struct thread *call, struct sock *sk)
{
	return call->known_sk == sk && BPF_CORE_READ(sk, __sk_common.skc_cookie.counter) == call->known.socket.cookie;
}

static __always_inline __u32 sequence(struct sock *sk, __u8 kind)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	return kind == SOCK_IO_RECEIVE ? BPF_CORE_READ(tcp, copied_seq) : BPF_CORE_READ(tcp, write_seq);
}

/* From now on the thread's records are about this socket. */
static __always_inline void know(struct thread *call, struct sock *sk)
{
	__u64 id = bpf_get_current_pid_tgid();

	describe(&call->known.socket, sk, cookie_of(sk));
	call->known.pid = id >> 32;
	call->known.tid = id;
	call->known_sk = sk;
}

/* A record about the socket that is known. */
static __always_inline void emit(struct thread *call, __u8 kind, __u32 start, __u32 end)
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
	record->socket.kind = kind;
	call->last_ns = record->exit_ns;
	bpf_get_current_comm(record->command, sizeof(record->command));
	bpf_ringbuf_submit(record, wakeup());
}

static __always_inline bool enter(struct enter *ctx, __u32 fd, __u8 kind, bool by_sequence)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk = socket_of(task, fd);
	struct thread *call;
	__u8 state = 0;

	/* Bytes of MPTCP are not where its connection's numbers stand at the call; see mptcp_end. */
	if (kind == SOCK_IO_ACCEPT || kind == SOCK_IO_CLOSE)
		sk = carrier_of(sk);
	if (!sk)
		return false;
	call = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!call || !is_known(call, sk) || kind == SOCK_IO_CONNECT) {
		if (!is_tcp(sk, &state) || (state == TCP_LISTEN && kind != SOCK_IO_ACCEPT) || ignored())
			return false;
		if (!call)
			call = bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
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

/*
 * The range of bytes that the call moved, false if none.
 *
 * Where the numbers before and after differ by the return value there is no doubt. The number read may stand one
 * higher: the FIN has been read along with the last byte. In other cases another thread moved the same socket's
 * numbers in between; what was read at entry is older by as long as the call blocked, what was read at exit by
 * next to nothing, so the end counts. Under kTLS the numbers count records, not what the caller passed.
 */
static __always_inline bool moved(struct thread *call, __s64 ret, __u32 *start, __u32 *end)
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

static __always_inline struct thread *leave(struct exit *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *call = bpf_task_storage_get(&threads, task, NULL, 0);

	if (!call || call->kind == SOCK_IO_NONE || call->nr != ctx->nr)
		return NULL;
	return call;
}

static __always_inline int leave_io(struct exit *ctx)
{
	struct thread *call = leave(ctx);
	__u32 start, end;

	if (!call)
		return 0;
	if (ctx->ret > 0 && moved(call, ctx->ret, &start, &end)) {
		if (!call->known_sk)
			know(call, call->sk);
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
	if (!enter(ctx, ctx->arg[0], SOCK_IO_RECEIVE, false) && !(socket_tracepoints && pages_by_sendmsg))
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
	struct thread *call = leave(ctx);
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
		know(call, sk);
		emit(call, SOCK_IO_CONNECT, seq, seq);
	}
	return 0;
}

static __always_inline int leave_accepting(struct exit *ctx)
{
	struct thread *call = leave(ctx);
	struct sock *sk;
	__u32 seq;
	__u8 state;

	if (!call)
		return 0;
	call->kind = SOCK_IO_NONE;
	if (ctx->ret < 0)
		return 0;
	sk = carrier_of(socket_of(bpf_get_current_task_btf(), ctx->ret));
	if (!sk || !is_tcp(sk, &state))
		return 0;
	seq = sequence(sk, SOCK_IO_SEND);
	know(call, sk);
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
	struct thread *call;

	if (!enter(ctx, ctx->arg[0], SOCK_IO_CLOSE, false))
		return 0;
	call = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);
	if (call && !call->known_sk)
		know(call, call->sk);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_close") int exit_close(struct exit *ctx)
{
	struct thread *call = leave(ctx);

	if (!call)
		return 0;
	call->kind = SOCK_IO_NONE;
	/* A socket that was never connected has nothing to close. */
	if (call->known.socket.remote_port)
		emit(call, SOCK_IO_CLOSE, call->seq, call->seq);
	call->known_sk = NULL;
	return 0;
}

/* Every TCP socket gets its cookie before any call on it can be recorded. */
SEC("tp_btf/inet_sock_set_state") int BPF_PROG(on_state, struct sock *sk, int before, int state)
{
	bpf_get_socket_cookie(sk);
	if (socket_tracepoints)
		on_opening(sk, state);
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
