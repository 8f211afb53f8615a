// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REGISTRY_MAGIC	 0x4752544du
#define REGISTRY_VERSION 4
#define STATE_BITS	 2
#define STATE_MASK	 3u

static int map(int fd, struct registry **registry)
{
	void *p = mmap(NULL, sizeof(**registry), PROT_READ | PROT_WRITE, MAP_SHARED,
		       fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	*registry = p;
	shared_lock_forget_thread();
	return 0;
}

int registry_create(struct registry **registry)
{
	int fd = memfd_create("mitosis-registry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(**registry)) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		err = -errno;
		goto err_fd;
	}
	err = map(fd, registry);
	if (err)
		goto err_fd;
	(*registry)->magic = REGISTRY_MAGIC;
	(*registry)->version = REGISTRY_VERSION;
	return fd;

err_fd:
	close(fd);
	return err;
}

int registry_map(int fd, struct registry **registry)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	int err;

	/* Without the seal, a truncated file would raise SIGBUS. */
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return -EPROTO;
	if (fstat(fd, &st))
		return -errno;
	if (st.st_size != sizeof(**registry))
		return -EPROTO;
	err = map(fd, registry);
	if (err)
		return err;
	if ((*registry)->magic != REGISTRY_MAGIC ||
	    (*registry)->version != REGISTRY_VERSION) {
		err = -EPROTO;
		goto err_unmap;
	}
	/* A shadow inherits no writable mapping of the slots. */
	if (madvise(*registry, sizeof(**registry), MADV_DONTFORK)) {
		err = -errno;
		goto err_unmap;
	}
	return 0;

err_unmap:
	registry_unmap(*registry);
	return err;
}

struct registry *registry_map_again(struct registry *registry)
{
	size_t size = sizeof(*registry);
	/* Old size 0 of a shared mapping: keep the old mapping, too. */
	void *p = mremap(registry, 0, size, MREMAP_MAYMOVE);

	if (p == MAP_FAILED)
		return NULL;
	if (mprotect(p, offsetof(struct registry, children), PROT_READ) ||
	    madvise(p, size, MADV_DOFORK)) {
		munmap(p, size);
		return NULL;
	}
	return p;
}

void registry_unmap(struct registry *registry)
{
	munmap(registry, sizeof(*registry));
}

struct registry_child registry_count_child(struct registry *registry)
{
	return (struct registry_child){
		.number = atomic_fetch_add(&registry->children, 1) + 1,
		.machine_id = registry->machine_id,
	};
}

int registry_lock(struct registry *registry)
{
	/* Each slot is consistent at every step: no repair after a dead holder. */
	return shared_lock_take(&registry->lock);
}

void registry_unlock(struct registry *registry)
{
	shared_lock_release(&registry->lock);
}

static uint32_t used_slots(const struct registry *registry)
{
	return registry->used < REGISTRY_SLOTS ? registry->used : REGISTRY_SLOTS;
}

static uint64_t make_word(uint64_t generation, enum slot_state state)
{
	return generation << STATE_BITS | state;
}

enum slot_state registry_state(const struct registry *registry, uint32_t slot)
{
	return registry->slots[slot].word & STATE_MASK;
}

uint64_t registry_generation(const struct registry *registry, uint32_t slot)
{
	return registry->slots[slot].word >> STATE_BITS;
}

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int registry_claim(struct registry *registry, uint32_t handler_id, uint32_t flags,
		   uint32_t device, uint32_t channel)
{
	struct registry_slot *slot;
	uint64_t before, claimed;
	uint32_t used, i;
	int free_slot = -1;
	int err = registry_lock(registry);

	if (err)
		return err;
	used = used_slots(registry);
	for (i = 0; i < used; i++) {
		slot = &registry->slots[i];
		if (registry_state(registry, i) == SLOT_FREE) {
			if (free_slot < 0)
				free_slot = i;
		} else if (slot->snapshot.handler_id == handler_id) {
			err = -EEXIST;
			goto out;
		}
	}
	if (free_slot < 0 && used < REGISTRY_SLOTS) {
		free_slot = used;
		registry->used = used + 1;
	}
	if (free_slot < 0) {
		err = -ENOSPC;
		goto out;
	}
	slot = &registry->slots[free_slot];
	before = slot->word;
	claimed = make_word((before >> STATE_BITS) + 1, SLOT_CLAIMED);
	slot->snapshot = (struct mitosis_snapshot){
		.handler_id = handler_id,
		.flags = flags,
		.owner_pid = getpid(),
		.prepared_at_ns = realtime_ns(),
	};
	slot->device = device;
	slot->channel = channel;
	/* It fails only for one whose lock has been taken over meanwhile. */
	err = atomic_compare_exchange_strong(&slot->word, &before, claimed)
		      ? free_slot
		      : -ETIMEDOUT;
out:
	registry_unlock(registry);
	return err;
}

bool registry_publish(struct registry *registry, uint32_t slot, uint64_t generation,
		      int32_t shadow_pid)
{
	uint64_t claimed = make_word(generation, SLOT_CLAIMED);

	registry->slots[slot].snapshot.shadow_pid = shadow_pid;
	return atomic_compare_exchange_strong(&registry->slots[slot].word, &claimed,
					      make_word(generation, SLOT_READY));
}

void registry_free(struct registry *registry, uint32_t slot, uint64_t generation)
{
	_Atomic uint64_t *word = &registry->slots[slot].word;
	uint64_t claimed = make_word(generation, SLOT_CLAIMED);
	uint64_t ready = make_word(generation, SLOT_READY);

	if (!atomic_compare_exchange_strong(word, &ready,
					    make_word(generation, SLOT_FREE)))
		atomic_compare_exchange_strong(word, &claimed,
					       make_word(generation, SLOT_FREE));
}

int registry_find(const struct registry *registry, uint32_t handler_id)
{
	uint32_t used = used_slots(registry);
	uint32_t i;

	for (i = 0; i < used; i++) {
		if (registry_state(registry, i) == SLOT_READY &&
		    registry->slots[i].snapshot.handler_id == handler_id)
			return i;
	}
	return -ENOENT;
}

bool registry_holds(const struct registry *registry, uint32_t slot,
		    uint64_t generation)
{
	uint64_t word = registry->slots[slot].word;

	return (word & STATE_MASK) != SLOT_FREE && word >> STATE_BITS == generation;
}
