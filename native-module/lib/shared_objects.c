// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/shared_objects.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/child_files.h"
#include "lib/error.h"
#include "lib/mapped_file.h"
#include "lib/shared_object.h"
#include "lib/stream.h"
#include "local/channel.h"
#include "local/child_limits.h"

/* The longest that memfd_create(2) takes. */
#define NAME_MAX_SIZE 250
#define PAGE_SIZE     4096u

/* As /proc/PID/maps had it in the parent: "/memfd:NAME (deleted)". */
static void name_object(const struct vma_list *list, uint32_t first,
			char name[NAME_MAX_SIZE])
{
	const char *from = shared_object_name(list, &list->vmas[first]);
	const char *slash = strrchr(from, '/');
	const char *end;
	size_t size;

	if (!strncmp(from, "/memfd:", 7))
		from += 7;
	else if (slash)
		from = slash + 1;
	end = strstr(from, " (deleted)");
	size = end ? (size_t)(end - from) : strlen(from);
	if (size >= NAME_MAX_SIZE)
		size = NAME_MAX_SIZE - 1;
	memcpy(name, from, size);
	name[size] = '\0';
}

/* ftruncate(2) beyond the limit raises SIGXFSZ. */
static int set_size(int fd, uint64_t size)
{
	struct rlimit limit, raised;
	int err = 0;

	if (getrlimit(RLIMIT_FSIZE, &limit))
		return -errno;
	raised = limit;
	raised.rlim_cur = raised.rlim_max;
	if (limit.rlim_max < size)
		return -EFBIG;
	if (limit.rlim_cur < size && setrlimit(RLIMIT_FSIZE, &raised))
		return -errno;
	if (ftruncate(fd, size))
		err = -errno;
	if (limit.rlim_cur < size)
		setrlimit(RLIMIT_FSIZE, &limit);
	return err;
}

static bool is_zero(const char *bytes, size_t size)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

/* Holes stay holes. */
static int write_pages(int fd, const char *bytes, size_t size, uint64_t offset)
{
	size_t done, n;

	for (done = 0; done < size; done += n) {
		n = size - done < PAGE_SIZE ? size - done : PAGE_SIZE;
		if (!is_zero(bytes + done, n) &&
		    pwrite(fd, bytes + done, n, offset + done) != (ssize_t)n)
			return -ENOSPC;
	}
	return 0;
}

/* Returns how many bytes of the VMA its object turned out to have, or -errno. */
static int64_t fill(int fd, const struct descriptor_vma *vma, uint64_t offset,
		    int stream, char *buffer)
{
	const uint64_t size = shared_object_bytes(vma);
	uint64_t most = SHADOW_READ_MAX, done = 0, n;
	int err;

	while (done < size) {
		n = size - done < most ? size - done : most;
		err = stream_read(stream, vma->start + done, buffer, n);
		if (err == -EFAULT && n <= PAGE_SIZE)
			break;
		if (err == -EFAULT) {
			most = PAGE_SIZE;
			continue;
		}
		if (!err)
			err = write_pages(fd, buffer, n, offset + done);
		if (err)
			return err;
		done += n;
	}
	return done;
}

/* The descriptor in the plan is this process's own copy. */
static int create(struct restore_plan *plan, const struct vma_list *list,
		  uint32_t first, int stream, char *buffer)
{
	struct object_extent extent = shared_object_extent(list, first);
	int32_t *files = (int32_t *)plan->files;
	char name[NAME_MAX_SIZE];
	uint64_t end = 0;
	uint32_t i;
	int fd, err;

	name_object(list, first, name);
	fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	fd = child_files_lift(fd);
	((int32_t *)plan->open_files)[plan->open_file_count++] = fd;
	err = set_size(fd, extent.size);
	/* shared_objects_close() closes it. */
	for (i = first; i < list->count; i++) {
		struct descriptor_vma *vma = &list->vmas[i];
		uint64_t offset = vma->offset - extent.offset;
		int64_t filled;

		if (!shared_object_same(list, first, i))
			continue;
		files[i] = fd;
		filled = err ? err : fill(fd, vma, offset, stream, buffer);
		if (filled < 0)
			err = filled;
		else if (offset + filled > end)
			end = offset + filled;
	}
	/* Behind the end of its object a mapping raises SIGBUS, as in the parent. */
	if (!err && end < extent.size && ftruncate(fd, end))
		err = -errno;
	extent.size = end;
	for (i = first; !err && i < list->count; i++) {
		struct descriptor_vma *vma = &list->vmas[i];

		if (!shared_object_same(list, first, i))
			continue;
		vma->offset -= extent.offset;
		vma->file_version = extent.size;
	}
	return err;
}

uint64_t shared_objects_room(const struct descriptor_header *d, uint32_t files)
{
	const struct vma_list list = shared_object_vmas(d);
	uint32_t i;

	for (i = 0; i < list.count; i++)
		files += shared_object_is_first(&list, i);
	return files * sizeof(int32_t);
}

int shared_objects_create(struct restore_plan *plan, int stream, const char *what)
{
	const struct vma_list list = shared_object_vmas(plan->descriptor);
	const char *name = "";
	char *buffer = NULL;
	int err = 0;
	uint32_t i;

	for (i = 0; !err && i < list.count; i++) {
		if (!shared_object_is_first(&list, i))
			continue;
		name = shared_object_name(&list, &list.vmas[i]);
		if (!buffer) {
			err = channel_set_deadline(stream, CHANNEL_DEADLINE_MS);
			buffer = malloc(SHADOW_READ_MAX);
		}
		if (!err)
			err = buffer ? create(plan, &list, i, stream, buffer)
				     : -ENOMEM;
	}
	free(buffer);
	if (!err)
		return 0;
	shared_objects_close(plan);
	return err == -EFBIG
		       ? fail(err,
			      "the shared memory '%s' of %s is larger than this "
			      "process may make a file; raise ulimit -f",
			      name, what)
		       : fail(err, "the shared memory '%s' of %s cannot be made: %s",
			      name, what, strerror(-err));
}

static bool is_missing(const struct descriptor_vma *vma, int32_t file)
{
	return vma->kind == VMA_FILE && vma->map_flags & MAP_SHARED && file < 0;
}

static bool is_one_file(const struct vma_list *list, const struct descriptor_vma *a,
			const struct descriptor_vma *b)
{
	return a->inode == b->inode &&
	       !strcmp(shared_object_name(list, a), shared_object_name(list, b));
}

/* All its mappings, so that they stay one. Returns their size. */
static uint64_t take_file(const struct vma_list *list, uint32_t written,
			  const int32_t *files)
{
	const struct descriptor_vma model = list->vmas[written];
	uint64_t size = 0;
	uint32_t i;

	for (i = 0; i < list->count; i++) {
		struct descriptor_vma *vma = &list->vmas[i];

		if (!is_missing(vma, files[i]) || !is_one_file(list, vma, &model))
			continue;
		vma->kind = VMA_SNAPSHOT;
		vma->file_version = 0;
		size += vma->end - vma->start;
	}
	return size;
}

int shared_objects_take_files(struct descriptor_header *d, bool confined,
			      const int32_t *files, const char *what, bool *copied)
{
	const struct vma_list list = shared_object_vmas(d);
	char problem[128];
	uint32_t mib, i;
	int err = shared_limit_read(&mib, problem, sizeof(problem));

	*copied = false;
	if (err)
		return fail(err, "%s", problem);
	for (i = 0; i < list.count; i++) {
		const char *name = shared_object_name(&list, &list.vmas[i]);
		uint64_t size;

		if (!is_missing(&list.vmas[i], files[i]) ||
		    !mapped_file_is_written(&list.vmas[i]))
			continue;
		*copied = true;
		if (confined)
			return 0;
		size = take_file(&list, i, files);
		if (size > (uint64_t)mib << 20)
			return fail(-EFBIG,
				    "'%s', which the parent of %s has mapped for "
				    "writing, is not here, and is more than %u MiB; "
				    "provide the file, or raise MITOSIS_SHARED_MIB",
				    name, what, mib);
		fprintf(stderr,
			"mitosis: '%s', which the parent of %s has mapped for "
			"writing, is not here: its children have a copy of their "
			"own\n",
			name, what);
	}
	return 0;
}

void shared_objects_close(struct restore_plan *plan)
{
	const struct vma_list list = shared_object_vmas(plan->descriptor);
	int32_t *files = (int32_t *)plan->files;
	uint32_t i, k;

	for (i = 0; i < list.count; i++) {
		if (!descriptor_is_object(&list.vmas[i]) || files[i] < 0)
			continue;
		close(files[i]);
		/* They are the last of the open files. */
		plan->open_file_count--;
		for (k = i + 1; k < list.count; k++)
			if (descriptor_is_object(&list.vmas[k]) &&
			    files[k] == files[i])
				files[k] = -1;
		files[i] = -1;
	}
}
