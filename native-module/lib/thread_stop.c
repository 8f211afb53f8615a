// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/thread_stop.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/libc_data.h"
#include "lib/once.h"
#include "lib/pending_change.h"
#include "lib/rseq.h"
#include "lib/stop_signal.h"
#include "lib/thread_differences.h"
#include "lib/thread_given_up.h"
#include "lib/thread_list.h"
#include "lib/thread_status.h"
#include "local/clock.h"
#include "paging/raw_syscall.h"

/* Time after which threads that may have ended are looked for, in ms. */
#define CHECK_MS 2
/*
 * In which all stop, in ms, before the others are let go on for a thread that blocks the signal. It doubles each time, so that
 * many threads on a busy machine have the time they need.
 */
#define PATIENCE_MS 10
#define THREADS_MAX (DESCRIPTOR_THREADS_MAX - 1)
#define LOOK	    0x80000000u /* with the number of a stop: see find_change() */
/* CPUs that the kernel may have been built for. */
#define CPUS_MAX 8192

/*
 * Wiped on fork, so that a child finds no stop under way. The records are not: they go to
 * the shadow.
 */
static struct stop_state {
	_Atomic bool
		has_records; /* false in a child, whose snapshot has no such mapping */
	_Atomic uint32_t preparing; /* a thread stops the others; a futex */
	_Atomic uint32_t active; /* number of this stop, a futex; 0: threads run */
	_Atomic uint64_t
		taken; /* that number << 32 | records that threads have taken */
	_Atomic uint32_t arrived; /* records that are filled in, a futex */
	_Atomic uint32_t wanted;  /* so many of them: the last one wakes who waits */
	struct pending_change change;
	struct thread_differences differences;
	uint64_t cpus; /* that the thread which stops them may run on */
	uint64_t held; /* what stop_signal_hold() blocks in it */
} * state;

static struct {
	struct descriptor_stopped_thread threads[THREADS_MAX];
	int32_t signalled[THREADS_MAX]; /* ids */
	int32_t listed[THREADS_MAX];	/* theirs in /proc */
} * records;

static uint32_t last_stop;
static struct once once = ONCE_INIT;

static void map_state(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED && !madvise(p, page, MADV_WIPEONFORK))
		state = p;
}

/* By the thread that prepares. What its parent had mapped may be anything in a child. */
static bool map_records(void)
{
	void *r;

	if (state->has_records)
		return true;
	r = mmap(NULL, sizeof(*records), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r == MAP_FAILED)
		return false;
	madvise(r, sizeof(*records), MADV_DONTDUMP);
	records = r;
	state->has_records = true;
	return true;
}

static void wait_for(_Atomic uint32_t *word, uint32_t value,
		     const struct timespec *timeout)
{
	raw_syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout, 0, 0);
}

static void wake(_Atomic uint32_t *word, int count)
{
	raw_syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, 0, 0, 0);
}

static uint64_t first_cpus(void)
{
	uint64_t cpus[CPUS_MAX / 64] = { 0 };

	raw_syscall(SYS_sched_getaffinity, 0, sizeof(cpus), cpus);
	return cpus[0];
}

/* What the signal frame lacks. */
static void describe(struct descriptor_stopped_thread *t, void *context)
{
	uint32_t rseq_size, rseq_signature;
	uint64_t rseq;

	t->frame = (uintptr_t)context;
	t->reserved = 0;
	raw_syscall(SYS_arch_prctl, ARCH_GET_FS, &t->fs_base);
	raw_syscall(SYS_arch_prctl, ARCH_GET_GS, &t->gs_base);
	raw_syscall(SYS_prctl, PR_GET_TID_ADDRESS, &t->tid_address, 0, 0, 0);
	raw_syscall(SYS_get_robust_list, 0, &t->robust_list, &t->robust_list_size);
	raw_syscall(SYS_prctl, PR_GET_NAME, t->name, 0, 0, 0);
	t->cpus = first_cpus();
	if (t->cpus == state->cpus)
		t->cpus = 0;
	rseq_of_caller(&rseq, &rseq_size, &rseq_signature);
	t->rseq_address = rseq;
	t->rseq_size = rseq_size;
	t->rseq_signature = rseq_signature;
	/* Last: see has_arrived(). */
	*(volatile int32_t *)&t->tid = raw_syscall(SYS_gettid);
}

/* Only of a stop that is under way: another's records are not to be touched. */
static bool take_record(uint32_t stop, uint32_t *record)
{
	uint64_t taken = atomic_load(&state->taken);

	do {
		if (taken >> 32 != stop)
			return false;
	} while (!atomic_compare_exchange_weak(&state->taken, &taken, taken + 1));
	*record = (uint32_t)taken;
	return true;
}

static uint32_t taken_records(void)
{
	return (uint32_t)atomic_load(&state->taken);
}

/* The signals that a stopped thread blocks when it goes on. */
static uint64_t blocked_by(const ucontext_t *frame)
{
	uint64_t mask;

	memcpy(&mask, &frame->uc_sigmask, sizeof(mask));
	return mask;
}

static void stay_stopped(uint32_t stop, const ucontext_t *frame)
{
	bool has_looked = false;
	uint32_t active;

	while (((active = atomic_load(&state->active)) & ~LOOK) == stop) {
		if (active & LOOK && !has_looked) {
			pending_change_look(&state->change, stop, blocked_by(frame));
			has_looked = true;
		}
		wait_for(&state->active, active, NULL);
	}
}

/* The signal may be another's: glibc's, or that of a stop that has been given up. */
static void on_signal(int signal, siginfo_t *info, void *context)
{
	uint32_t stop = stop_signal_number(info);
	uint32_t record;

	if (!stop) {
		stop_signal_pass_on(signal, info, context);
		return;
	}
	if (!take_record(stop, &record)) {
		stop_signal_pass_to_copy(signal, info, context);
		return;
	}
	thread_differences_add(&state->differences, blocked_by(context));
	if (record < THREADS_MAX)
		describe(&records->threads[record], context);
	if (atomic_fetch_add(&state->arrived, 1) + 1 >= atomic_load(&state->wanted))
		wake(&state->arrived, 1);
	stay_stopped(stop, context);
}

/* A stop under way: the caller has no locks and no malloc. */
struct stop {
	int32_t process, caller;
	uint32_t number;
	uint32_t signal;
	uint32_t signalled; /* in records->signalled */
	uint32_t stop_ms;   /* in which they stop */
	uint32_t patience_ms;
	struct running_time waited, attempt;
	struct late_thread late;
	struct thread_list list;
	bool leader_ended;
	bool refused; /* thread_differences_refused() */
};

static bool is_signalled(const struct stop *s, int32_t listed)
{
	uint32_t i;

	/* The newest are asked for most often. */
	for (i = s->signalled; i--;)
		if (records->listed[i] == listed)
			return true;
	return false;
}

static bool has_arrived(int32_t tid)
{
	uint32_t count = taken_records(), i;

	for (i = 0; i < count && i < THREADS_MAX; i++)
		if (*(volatile int32_t *)&records->threads[i].tid == tid)
			return true;
	return false;
}

/* Interrupts all that have not been. Returns how many these were, or -errno. */
static int interrupt_new(struct stop *s)
{
	int32_t listed;
	int count = 0, more;

	thread_list_rewind(&s->list);
	while ((more = thread_list_next(&s->list, &listed)) > 0) {
		int32_t tid;
		int err;

		if (is_signalled(s, listed))
			continue;
		tid = thread_list_id(&s->list, listed);
		if (!tid || tid == s->caller)
			continue;
		if (s->signalled == THREADS_MAX)
			return -E2BIG;
		err = stop_signal_send(s->signal, s->process, tid, s->number);
		if (err == -ESRCH)
			continue;
		if (err)
			return err;
		records->listed[s->signalled] = listed;
		records->signalled[s->signalled++] = tid;
		count++;
	}
	return more < 0 ? more : count;
}

/* Forgets those that have ended since they were signalled. */
static void forget_ended(struct stop *s)
{
	uint32_t i, kept = 0;

	for (i = 0; i < s->signalled; i++) {
		int32_t tid = records->signalled[i];
		int32_t listed = records->listed[i];
		char letter = has_arrived(tid) ? 'S' : thread_state_of(listed);
		bool ended = !letter || letter == 'Z' || letter == 'X';

		if (ended && tid == s->process && letter == 'Z')
			s->leader_ended = true;
		/* A first thread that has ended stays in /proc: it stays in the list. */
		if (!ended || tid == s->process) {
			records->listed[kept] = listed;
			records->signalled[kept++] = tid;
		}
	}
	s->signalled = kept;
}

static uint32_t awaited(const struct stop *s)
{
	return s->signalled - (s->leader_ended ? 1 : 0);
}

static uint64_t stop_signal_bit(const struct stop *s)
{
	return 1ull << (s->signal - 1);
}

static struct late_thread late_thread(uint32_t i)
{
	return (struct late_thread){ .tid = records->signalled[i],
				     .listed = records->listed[i] };
}

/* Of the signalled that have not stopped, one that blocks the signal; zeros: there is none. */
static struct late_thread first_blocking(const struct stop *s)
{
	uint32_t i;

	for (i = 0; i < s->signalled; i++) {
		struct late_thread t = late_thread(i);

		if (has_arrived(t.tid))
			continue;
		t.blocks = thread_blocks(t.listed, stop_signal_bit(s));
		if (t.blocks)
			return t;
	}
	return (struct late_thread){ 0 };
}

/*
 * Whether a thread may wait, with the signal blocked, for another: in glibc 2.34 one that ends while
 * another is in setuid(3) does, and so does one that stops all by another copy of this library. Then there is
 * another attempt, if the time is enough for it.
 */
static bool others_must_run(struct stop *s)
{
	int64_t waited = running_time_passed(&s->waited);

	return running_time_passed(&s->attempt) >= s->patience_ms &&
	       waited + 2 * s->patience_ms <= s->stop_ms && first_blocking(s).blocks;
}

/* Returns 0 when all that are signalled have stopped; -ETIMEDOUT; or -EAGAIN: see others_must_run(). */
static int await(struct stop *s)
{
	const struct timespec check = { .tv_nsec = CHECK_MS * 1000000l };

	for (;;) {
		uint32_t arrived;

		atomic_store(&state->wanted, awaited(s));
		arrived = atomic_load(&state->arrived);
		if (arrived >= awaited(s))
			return 0;
		if (running_time_passed(&s->waited) > s->stop_ms)
			return -ETIMEDOUT;
		wait_for(&state->arrived, arrived, &check);
		if (atomic_load(&state->arrived) != arrived)
			continue;
		forget_ended(s);
		if (others_must_run(s))
			return -EAGAIN;
	}
}

/* New threads come until all that could make them have stopped. */
static int stop_others(struct stop *s)
{
	int count;

	do {
		int err = interrupt_new(s);

		if (err < 0)
			return err;
		count = err;
		err = await(s);
		if (err)
			return err;
	} while (count);
	return taken_records() > THREADS_MAX ? -E2BIG : 0;
}

/* Those of the last stop: threads may still be filling some in, but take no further ones. */
static int forget_records(struct stop *s)
{
	const struct timespec check = { .tv_nsec = CHECK_MS * 1000000l };
	uint32_t count = taken_records(), arrived, i;

	while ((arrived = atomic_load(&state->arrived)) < count) {
		if (running_time_passed(&s->waited) > s->stop_ms)
			return -ETIMEDOUT;
		wait_for(&state->arrived, arrived, &check);
	}
	for (i = 0; i < count && i < THREADS_MAX; i++)
		records->threads[i].tid = 0;
	atomic_store(&state->arrived, 0);
	return 0;
}

/* One that blocks the signal, before others. */
static struct late_thread first_late(const struct stop *s)
{
	struct late_thread late = first_blocking(s);
	uint32_t i;

	for (i = 0; i < s->signalled && !late.tid; i++)
		if (!has_arrived(records->signalled[i]))
			late = late_thread(i);
	if (!late.tid)
		late.tid = s->process;
	return late;
}

bool thread_stop_is_needed(void)
{
	const char *single_threaded = libc_data()->single_threaded;
	struct stat st;

	/* One link for each of . and .. and each thread. */
	return !(single_threaded && *single_threaded) &&
	       (stat("/proc/self/task", &st) || st.st_nlink > 3);
}

/* One thread at a time stops the others. */
static int begin(uint32_t stop_ms)
{
	const struct timespec check = { .tv_nsec = CHECK_MS * 1000000l };
	struct running_time waited = running_time_start();
	uint32_t none = 0;

	while (!atomic_compare_exchange_strong(&state->preparing, &none, 1)) {
		if (running_time_passed(&waited) > 2 * (int64_t)stop_ms)
			return fail(-EBUSY,
				    "another thread of this process has been "
				    "preparing for %u ms",
				    2 * stop_ms);
		wait_for(&state->preparing, 1, &check);
		none = 0;
	}
	return 0;
}

static void release_threads(void)
{
	atomic_fetch_and(&state->taken, UINT32_MAX);
	atomic_store(&state->active, 0);
	wake(&state->active, INT32_MAX);
	stop_signal_let_go(state->held);
	state->held = 0;
}

/* See pending_change.h. Returns 0 if there is none, -EINPROGRESS or -ETIMEDOUT. */
static int find_change(struct stop *s)
{
	if (!thread_signals_are_queued())
		return 0;
	pending_change_begin(&state->change, s->number,
			     atomic_load(&state->arrived) + 1);
	atomic_store(&state->active, s->number | LOOK);
	wake(&state->active, INT32_MAX);
	/* The caller blocks what is held for it. */
	pending_change_look(&state->change, s->number, ~state->held);
	while (!pending_change_await(&state->change, CHECK_MS))
		if (running_time_passed(&s->waited) > s->stop_ms)
			return -ETIMEDOUT;
	return pending_change_found(&state->change, s->number) ? -EINPROGRESS : 0;
}

/* Each copy of this library in a process, which lie at different places, has its own. */
static uint32_t next_stop(void)
{
	const uint64_t first = (uintptr_t)&last_stop * 0x9e3779b97f4a7c15ull;

	return last_stop ? last_stop % INT32_MAX + 1 : (uint32_t)(first >> 33) | 1;
}

static int attempt(struct stop *s)
{
	int err = forget_records(s);

	if (err)
		return err;
	last_stop = next_stop();
	s->number = last_stop;
	s->signalled = 0;
	s->leader_ended = false;
	thread_differences_begin(&state->differences);
	s->attempt = running_time_start();
	state->held = stop_signal_hold(s->signal);
	atomic_store(&state->wanted, UINT32_MAX); /* nobody waits yet */
	atomic_store(&state->active, s->number);
	atomic_store(&state->taken, (uint64_t)s->number << 32);
	return stop_others(s);
}

static void pause_shortly(void)
{
	const struct timespec time = { .tv_nsec = CHECK_MS * 1000000l };

	raw_syscall(SYS_nanosleep, &time, NULL);
}

/* Lets all run until the late one no longer blocks the signal, or has ended. Returns 0 or -ETIMEDOUT. */
static int let_others_run(struct stop *s)
{
	s->late = first_late(s);
	s->patience_ms *= 2;
	release_threads();
	do {
		if (running_time_passed(&s->waited) > s->stop_ms)
			return -ETIMEDOUT;
		pause_shortly();
	} while (s->late.blocks &&
		 thread_blocks(s->late.listed, stop_signal_bit(s)));
	return 0;
}

/*
 * Once more, where threads have to run: for one that blocks the signal, or because the C library was about
 * to change all.
 */
static int stop_between_changes(struct stop *s)
{
	int err;

	for (;;) {
		err = attempt(s);
		if (!err)
			err = find_change(s);
		if (err == -ETIMEDOUT)
			s->late = first_late(s);
		if (err != -EAGAIN && err != -EINPROGRESS)
			return err;
		if (err == -EAGAIN) {
			err = let_others_run(s);
			if (err)
				return err;
			continue;
		}
		if (running_time_passed(&s->waited) > s->stop_ms)
			return -EDEADLK;
		release_threads();
		pause_shortly();
	}
}

int thread_stop_all(uint32_t stop_ms, uint32_t signal,
		    struct stopped_threads *stopped)
{
	struct stop s = {
		.process = getpid(),
		.caller = gettid(),
		.signal = signal,
		.stop_ms = stop_ms,
		.patience_ms = PATIENCE_MS,
	};
	int err;

	once_do(&once, map_state);
	if (!state)
		return fail(-ENOMEM, "there is no memory to stop threads");
	err = begin(stop_ms);
	if (err)
		return err;
	err = map_records() ? stop_signal_take(signal, on_signal)
			    : fail(-ENOMEM, "there is no memory to stop threads");
	if (err) {
		thread_stop_release();
		return err;
	}
	err = thread_list_open(&s.list);
	if (!err) {
		state->cpus = first_cpus();
		s.waited = running_time_start();
		err = stop_between_changes(&s);
		if (!err)
			s.refused = thread_differences_refused(
				&state->differences, records->listed, s.signalled);
		thread_list_close(&s.list);
	}
	if (err || s.refused) {
		thread_stop_release();
		return err ? thread_stop_given_up(err, &s.late, stop_ms, signal)
			   : thread_differences_refuse(&state->differences);
	}
	stopped->threads = records->threads;
	stopped->mapping_size = (sizeof(*records) + 4095) & ~4095ull;
	stopped->count = atomic_load(&state->arrived);
	stopped->fresh = atomic_load(&state->differences.fresh);
	stopped->leader_ended = s.leader_ended;
	stopped->held = state->held;
	return 0;
}

void thread_stop_release(void)
{
	release_threads();
	atomic_store(&state->preparing, 0);
	wake(&state->preparing, 1);
}
