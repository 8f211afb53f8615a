/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: events/mitosis/ in tracefs. Times are ns. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mitosis

#if !defined(MITOSIS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MITOSIS_TRACE_H

#include <linux/ktime.h>
#include <linux/tracepoint.h>

#ifndef MITOSIS_TRACE_CLOCK
#define MITOSIS_TRACE_CLOCK
/* The start time of a traced operation, ns; 0 if its tracepoint is disabled. */
static inline u64 mitosis_trace_start(bool enabled)
{
	return enabled ? ktime_get_ns() : 0;
}
#endif

/* clang-format off */
TRACE_EVENT(mitosis_prepare,
	TP_PROTO(u32 handler_id, u64 duration),
	TP_ARGS(handler_id, duration),
	TP_STRUCT__entry(
		__field(u32, handler_id)
		__field(u64, duration)
	),
	TP_fast_assign(
		__entry->handler_id = handler_id;
		__entry->duration = duration;
	),
	TP_printk("handler=%u ns=%llu", __entry->handler_id, __entry->duration)
);

TRACE_EVENT(mitosis_resume,
	TP_PROTO(u32 machine_id, u32 handler_id, u32 vmas, int error, u64 duration),
	TP_ARGS(machine_id, handler_id, vmas, error, duration),
	TP_STRUCT__entry(
		__field(u32, machine_id)
		__field(u32, handler_id)
		__field(u32, vmas)
		__field(int, error)
		__field(u64, duration)
	),
	TP_fast_assign(
		__entry->machine_id = machine_id;
		__entry->handler_id = handler_id;
		__entry->vmas = vmas;
		__entry->error = error;
		__entry->duration = duration;
	),
	TP_printk("machine=%u handler=%u vmas=%u error=%d ns=%llu",
		  __entry->machine_id, __entry->handler_id, __entry->vmas,
		  __entry->error, __entry->duration)
);

TRACE_EVENT(mitosis_fault,
	TP_PROTO(u32 machine_id, u32 handler_id, unsigned long address, bool write,
		 unsigned int result, u64 duration),
	TP_ARGS(machine_id, handler_id, address, write, result, duration),
	TP_STRUCT__entry(
		__field(u32, machine_id)
		__field(u32, handler_id)
		__field(unsigned long, address)
		__field(bool, write)
		__field(unsigned int, result)
		__field(u64, duration)
	),
	TP_fast_assign(
		__entry->machine_id = machine_id;
		__entry->handler_id = handler_id;
		__entry->address = address;
		__entry->write = write;
		__entry->result = result;
		__entry->duration = duration;
	),
	TP_printk("machine=%u handler=%u address=%lx write=%d result=%x ns=%llu",
		  __entry->machine_id, __entry->handler_id, __entry->address,
		  __entry->write, __entry->result, __entry->duration)
);

TRACE_EVENT(mitosis_fetch,
	TP_PROTO(u32 machine_id, u32 handler_id, unsigned long address,
		 unsigned long pages, int error),
	TP_ARGS(machine_id, handler_id, address, pages, error),
	TP_STRUCT__entry(
		__field(u32, machine_id)
		__field(u32, handler_id)
		__field(unsigned long, address)
		__field(unsigned long, pages)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->machine_id = machine_id;
		__entry->handler_id = handler_id;
		__entry->address = address;
		__entry->pages = pages;
		__entry->error = error;
	),
	TP_printk("machine=%u handler=%u address=%lx pages=%lu error=%d",
		  __entry->machine_id, __entry->handler_id, __entry->address,
		  __entry->pages, __entry->error)
);

/* clang-format on */

#endif /* MITOSIS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
