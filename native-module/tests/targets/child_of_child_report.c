// SPDX-License-Identifier: Apache-2.0
/*
 * A child of a child is told what it lacks of its own parent, not what that one lacked, by
 * whichever mode each of them was resumed; and it is told nothing of the first parent.
 */
#include <sys/prctl.h>
#include <sys/time.h>

#include "tests/targets/descend.h"

#define TIMERS	  "timers (setitimer, alarm): not set\n"
#define SUBREAPER "PR_SET_CHILD_SUBREAPER: not set\n"

/* Goes on as a child of a snapshot of this process; the caller's part ends here. */
static void descend(uint32_t generation, const char *mode)
{
	bool kernel = target_backend() == MITOSIS_BACKEND_KERNEL;
	uint32_t handler_id = generation << 16 | (getpid() & 0xffff);
	struct mitosis *device;

	CHECK_EQ(mitosis_open(target_backend(), &device), 0);
	CHECK_EQ(mitosis_prepare(device, handler_id), 0);
	if (mitosis_nil(device)) {
		mitosis_close(device);
		return;
	}
	descend_to_child(device, handler_id, kernel ? "lazy" : mode);
}

static void set_timer(void)
{
	const struct itimerval far = { .it_value.tv_sec = 100000 };

	CHECK(!setitimer(ITIMER_REAL, &far, NULL));
}

static void check(bool timers, bool subreaper)
{
	char text[4096];

	CHECK(mitosis_resume_report(NULL, text, sizeof(text)) >= timers + subreaper);
	CHECK_EQ(strstr(text, TIMERS) != NULL, timers);
	CHECK_EQ(strstr(text, SUBREAPER) != NULL, subreaper);
}

int main(void)
{
	const char *modes[] = { "clone", "clone", "lazy", "clone" };
	uint32_t i;

	set_timer();
	target_prepare();
	check(true, false);

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		bool reaps = i % 2 == 0;

		CHECK(!prctl(PR_SET_CHILD_SUBREAPER, reaps, 0, 0, 0));
		if (!reaps)
			set_timer();
		descend(i + 1, modes[i]);
		check(!reaps, reaps);
	}
	return 0;
}
