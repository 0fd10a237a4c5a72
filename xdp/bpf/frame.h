/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* What precedes each frame in the ring buffer; xdp/src/frame_record.rs reads the same offsets. */
#ifndef WIRESPAN_FRAME_H
#define WIRESPAN_FRAME_H

#include <linux/types.h>

struct frame {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 ifindex;
	__u32 wire_len;
	__u32 cap_len;
	__u16 vlan_tpid; /* host byte order; 0 if the kernel holds no tag beside the frame */
	__u16 vlan_tci;
	__u8 egress;
	__u8 reserved[7];
	__u8 bytes[]; /* cap_len of them count; the rest of the record is what the buffer held before */
};

enum frame_counter {
	LOST_RING_FULL, /* no room in the ring buffer */
	LOST_NOT_READ,  /* the frame could not be copied */
	COUNTERS,
};

#endif
