/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of a machine of the user backend whose snapshot has a child here. */
#ifndef TESTS_KERNEL_MACHINE_FAULTS_H
#define TESTS_KERNEL_MACHINE_FAULTS_H

void child_killed_waiting_for_page(void);
void page_not_in_time(void);
void machine_killed(void);
void machine_late(void);
void cache_with_two_deadlines(void);
void answer_of_the_former_address(void);

#endif /* TESTS_KERNEL_MACHINE_FAULTS_H */
