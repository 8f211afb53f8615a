// SPDX-License-Identifier: Apache-2.0
#include "lib/mapping_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/child_files.h"
#include "lib/error.h"
#include "lib/mapped_file.h"
#include "lib/shared_objects.h"

/* VMAs that are searched backwards for the same file: a library's are adjacent. */
#define SAME_FILE_DISTANCE 16

/* What is opened, and how. */
struct opening {
	struct mapping_files *files;
	const struct descriptor_header *descriptor;
	bool confined, by_module;
};

/* The file of a VMA shortly before that one maps as well, or -1. */
static int same_file(const struct opening *o, uint32_t index)
{
	const struct descriptor_vma *vmas = descriptor_vmas(o->descriptor);
	const struct descriptor_vma *vma = &vmas[index];
	const int32_t *of_vma = o->files->of_vma;
	uint32_t i;

	for (i = index; i-- && index - i <= SAME_FILE_DISTANCE;)
		if (of_vma[i] >= 0 && vmas[i].name == vma->name &&
		    vmas[i].inode == vma->inode &&
		    mapped_file_is_written(&vmas[i]) == mapped_file_is_written(vma))
			return of_vma[i];
	return -1;
}

/* A file that is told by its times, too, and not written to by the child. */
static bool may_be_confined(const struct descriptor_vma *vma)
{
	return !mapped_file_is_written(vma) &&
	       vma->file_version > DESCRIPTOR_FILE_GONE &&
	       !(vma->map_flags & MAP_SHARED);
}

static int32_t open_once(const struct opening *o, const struct descriptor_vma *vma)
{
	int32_t file = mapped_file_open(o->descriptor, vma);

	if (file >= 0) {
		file = child_files_lift(file);
		o->files->opened[o->files->count++] = file;
	}
	return file;
}

/* The program is needed for /proc/self/exe, too. */
static bool is_needed(const struct opening *o, const struct descriptor_vma *vma)
{
	const struct descriptor_header *d = o->descriptor;

	if (o->confined && !may_be_confined(vma))
		return false;
	return !o->by_module || (d->state.known & PROCESS_PROGRAM &&
				 !strcmp(descriptor_string(d, vma->name),
					 descriptor_string(d, d->state.program)));
}

/* With the rights of the file system user that it has now. */
static void open_each(const struct opening *o)
{
	const struct descriptor_vma *vmas = descriptor_vmas(o->descriptor);
	int32_t *of_vma = o->files->of_vma;
	uint32_t i;

	for (i = 0; i < o->descriptor->vma_count; i++) {
		of_vma[i] = -1;
		if (vmas[i].kind != VMA_FILE || !is_needed(o, &vmas[i]))
			continue;
		of_vma[i] = same_file(o, i);
		if (of_vma[i] < 0)
			of_vma[i] = open_once(o, &vmas[i]);
		if (of_vma[i] >= 0 &&
		    !mapped_file_may_be_mapped(of_vma[i], &vmas[i]))
			of_vma[i] = -1;
	}
}

int mapping_files_open(struct mapping_files *files, struct descriptor_header *d,
		       const struct mitosis_confinement *confinement, bool by_module,
		       const char *what)
{
	const struct opening o = { files, d, confinement->confine, by_module };
	size_t size = (d->vma_count + 1) * sizeof(*files->of_vma);
	struct file_user user;
	int err;

	*files = (struct mapping_files){ malloc(size), malloc(size), 0 };
	if (!files->of_vma || !files->opened)
		return fail(-ENOMEM, "there is no memory for a child of %s", what);
	err = file_user_become(&user, confinement);
	if (!err)
		open_each(&o);
	file_user_return(&user);
	if (err)
		return fail(err,
			    "the files of %s cannot be opened with the rights of "
			    "user %u: %s",
			    what, confinement->user, strerror(-err));
	if (by_module)
		return 0;
	return shared_objects_take_files(d, confinement->confine, files->of_vma,
					 what);
}

void mapping_files_free(struct mapping_files *files)
{
	free(files->of_vma);
	free(files->opened);
}
