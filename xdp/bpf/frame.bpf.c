// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * Copies the frames of an interface: those that come in at XDP (or at TCX, where there is no XDP), those
 * that go out at TCX. Frames are never changed, dropped or delayed. A frame goes into the smallest of
 * four record sizes that holds it, because the verifier must know the size of a reservation.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"

#include "ring.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Record sizes; the largest holds a frame of 64 KiB from segmentation offload with its link header. */
#define SMALL 256
#define MEDIUM 2048
#define LARGE 16384
#define LARGEST 66048

/* Bytes of a frame that are copied at most. */
const volatile __u32 snap_len = 0;

/* Unused; it puts the layout into the object's BTF, where a test compares it with the reader's. */
struct frame *frame_layout = 0;

/* Reads `len` bytes from the start of the frame; `load` is the helper of the program's type. */
#define COPY(size, load)                                                                        \
	do {                                                                                    \
		struct frame *frame = bpf_ringbuf_reserve(&records, size, 0);                   \
		if (!frame) {                                                                   \
			count(LOST_RING_FULL);                                                  \
			return;                                                                 \
		}                                                                               \
		*frame = *head;                                                                 \
		frame->time_ns = bpf_ktime_get_ns();                                            \
		if (load(ctx, 0, frame->bytes, len)) {                                          \
			bpf_ringbuf_discard(frame, BPF_RB_NO_WAKEUP);                           \
			count(LOST_NOT_READ);                                                   \
			return;                                                                 \
		}                                                                               \
		bpf_ringbuf_submit(frame, wakeup());                                            \
	} while (0)

#define BY_SIZE(load)                                                                           \
	do {                                                                                    \
		__u32 len = head->cap_len;                                                      \
		if (len == 0)                                                                   \
			return;                                                                 \
		if (len <= SMALL - sizeof(struct frame))                                        \
			COPY(SMALL, load);                                                      \
		else if (len <= MEDIUM - sizeof(struct frame))                                  \
			COPY(MEDIUM, load);                                                     \
		else if (len <= LARGE - sizeof(struct frame))                                   \
			COPY(LARGE, load);                                                      \
		else if (len <= LARGEST - sizeof(struct frame))                                 \
			COPY(LARGEST, load);                                                    \
	} while (0)

static __always_inline void copy_buff(struct xdp_md *ctx, struct frame *head)
{
	BY_SIZE(bpf_xdp_load_bytes);
}

static __always_inline void copy_skb(struct __sk_buff *ctx, struct frame *head)
{
	BY_SIZE(bpf_skb_load_bytes);
}

static __always_inline void skb(struct __sk_buff *ctx, bool egress)
{
	struct frame head = {
		.ifindex = ctx->ifindex,
		.wire_len = ctx->len,
		.cap_len = ctx->len < snap_len ? ctx->len : snap_len,
		.egress = egress,
	};

	if (ctx->vlan_present) {
		head.vlan_tpid = bpf_ntohs(ctx->vlan_proto);
		head.vlan_tci = ctx->vlan_tci;
	}
	copy_skb(ctx, &head);
}

SEC("xdp.frags") int xdp_ingress(struct xdp_md *ctx)
{
	__u32 wire_len = bpf_xdp_get_buff_len(ctx);
	struct frame head = {
		.ifindex = ctx->ingress_ifindex,
		.wire_len = wire_len,
		.cap_len = wire_len < snap_len ? wire_len : snap_len,
	};

	copy_buff(ctx, &head);
	return XDP_PASS;
}

/* TC_ACT_UNSPEC is also TCX_NEXT: the next program, or the kernel, decides. */
SEC("classifier") int tc_ingress(struct __sk_buff *ctx)
{
	skb(ctx, false);
	return TC_ACT_UNSPEC;
}

SEC("classifier") int tc_egress(struct __sk_buff *ctx)
{
	skb(ctx, true);
	return TC_ACT_UNSPEC;
}
