/*
 * One TCP connection over loopback, opened and moved through by io_uring: uring TIMES SIZE FLAGS, where FLAGS
 * are those of each send and receive (16, IOSQE_ASYNC, lets a worker thread do them). Every second send is
 * one without copying. Prints process, thread, and the ports of the two ends.
 */
#define _GNU_SOURCE
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ring;
static char *queues;
static struct io_uring_sqe *entries;
static struct io_uring_params params;

static void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static unsigned *at(unsigned offset)
{
	return (unsigned *)(queues + offset);
}

/* Submits one operation and waits for its end; a send without copying ends twice. */
static int run(struct io_uring_sqe operation, int ends)
{
	unsigned tail = *at(params.sq_off.tail), slot = tail & *at(params.sq_off.ring_mask);
	int result = 0;

	entries[slot] = operation;
	at(params.sq_off.array)[slot] = slot;
	__atomic_store_n(at(params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
	check(syscall(__NR_io_uring_enter, ring, 1, ends, IORING_ENTER_GETEVENTS, NULL, 0) == 1, "io_uring_enter");
	for (int i = 0; i < ends; i++) {
		unsigned head = *at(params.cq_off.head);
		struct io_uring_cqe *cqe;

		while (head == __atomic_load_n(at(params.cq_off.tail), __ATOMIC_ACQUIRE))
			syscall(__NR_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
		cqe = (struct io_uring_cqe *)(queues + params.cq_off.cqes) + (head & *at(params.cq_off.ring_mask));
		if (!(cqe->flags & IORING_CQE_F_NOTIF))
			result = cqe->res;
		if (!(cqe->flags & IORING_CQE_F_MORE))
			ends = i + 1;
		__atomic_store_n(at(params.cq_off.head), head + 1, __ATOMIC_RELEASE);
	}
	return result;
}

int main(int argc, char **argv)
{
	int times = atoi(argv[1]), size = atoi(argv[2]), flags = atoi(argv[3]);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, own = {};
	socklen_t length = sizeof(address);
	int listener, client, server, zc;
	char *bytes = calloc(1, size);
	size_t queues_size;

	check(argc == 4 && bytes != NULL, "arguments");
	ring = syscall(__NR_io_uring_setup, 8, &params);
	check(ring >= 0 && (params.features & IORING_FEAT_SINGLE_MMAP), "io_uring_setup");
	queues_size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	queues = mmap(NULL, queues_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	entries = mmap(NULL, params.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		       IORING_OFF_SQES);
	check(queues != MAP_FAILED && entries != MAP_FAILED, "mmap");

	listener = socket(AF_INET, SOCK_STREAM, 0);
	check(!bind(listener, (struct sockaddr *)&address, length) && !listen(listener, 1), "listen");
	check(!getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
	client = socket(AF_INET, SOCK_STREAM, 0);
	check(run((struct io_uring_sqe){ .opcode = IORING_OP_CONNECT, .fd = client, .addr = (__u64)&address,
					 .off = length },
		  1) == 0,
	      "connect");
	check(!getsockname(client, (struct sockaddr *)&own, &length), "getsockname");
	server = run((struct io_uring_sqe){ .opcode = IORING_OP_ACCEPT, .fd = listener }, 1);
	check(server >= 0, "accept");
	for (int i = 0; i < times; i++) {
		zc = i % 2;
		check(run((struct io_uring_sqe){ .opcode = zc ? IORING_OP_SEND_ZC : IORING_OP_SEND, .fd = client,
						 .addr = (__u64)bytes, .len = size, .flags = flags,
						 .msg_flags = MSG_WAITALL },
			  1 + zc) == size,
		      "send");
		check(run((struct io_uring_sqe){ .opcode = IORING_OP_RECV, .fd = server, .addr = (__u64)bytes,
						 .len = size, .flags = flags, .msg_flags = MSG_WAITALL },
			  1) == size,
		      "recv");
	}
	printf("%d %d %d %d\n", getpid(), gettid(), ntohs(own.sin_port), ntohs(address.sin_port));
	return 0;
}
