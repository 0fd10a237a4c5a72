/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The ring buffer that carries a program's records, when its reader is woken, and the counters of what
 * did not fit; xdp/src/ring.rs reads both maps. The file that includes this has declared COUNTERS.
 */
#ifndef WIRESPAN_RING_H
#define WIRESPAN_RING_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

/* The reader is woken when this many bytes wait; below that it polls at its own interval. */
const volatile __u64 wakeup_bytes = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		*value += 1;
}

/* The flag of bpf_ringbuf_submit for the record that is submitted now. */
static __always_inline __u64 wakeup(void)
{
	return bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= wakeup_bytes ? BPF_RB_FORCE_WAKEUP
									      : BPF_RB_NO_WAKEUP;
}

#endif
