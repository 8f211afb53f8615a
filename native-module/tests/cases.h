/* SPDX-License-Identifier: Apache-2.0 */
/* Test programs of several named cases. */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

struct test_case {
	const char *name;
	void (*run)(void);
};

/*
 * Runs each case, or the one called `only` unless that is NULL, in a process of its
 * own, so that one failure does not hide the next. A case may take `ms`. Returns the
 * test's exit status.
 */
int run_cases(const struct test_case *cases, int count, int ms, const char *only);

#endif /* TESTS_CASES_H */
