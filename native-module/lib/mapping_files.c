// SPDX-License-Identifier: Apache-2.0
#include "lib/mapping_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/child_credentials.h"
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
	uint64_t *digest_left; /* of file_digest() */
	bool confined, by_module;
	const char *what;
};

static bool is_of_same_file(const struct descriptor_vma *a,
			    const struct descriptor_vma *b)
{
	return a->name == b->name && a->inode == b->inode &&
	       a->build_id == b->build_id && a->digest == b->digest;
}

/* The file of a VMA shortly before that one maps as well, or -1. */
static int same_file(const struct opening *o, uint32_t index)
{
	const struct descriptor_vma *vmas = descriptor_vmas(o->descriptor);
	const struct descriptor_vma *vma = &vmas[index];
	const int32_t *of_vma = o->files->of_vma;
	uint32_t i;

	for (i = index; i-- && index - i <= SAME_FILE_DISTANCE;)
		if (of_vma[i] >= 0 && is_of_same_file(&vmas[i], vma) &&
		    mapped_file_is_written(&vmas[i]) == mapped_file_is_written(vma))
			return of_vma[i];
	return -1;
}

/* Whether the file of a VMA has been compared for one shortly before. */
static bool is_compared(const struct descriptor_vma *vmas, uint32_t index)
{
	uint32_t i;

	for (i = index; i-- && index - i <= SAME_FILE_DISTANCE;)
		if (is_of_same_file(&vmas[i], &vmas[index]) &&
		    !(vmas[i].map_flags & MAP_SHARED))
			return true;
	return false;
}

/* A file that is told by its times, too, and not written to by the child. */
static bool may_be_confined(const struct descriptor_vma *vma)
{
	return !mapped_file_is_written(vma) &&
	       vma->file_version > DESCRIPTOR_FILE_GONE &&
	       !(vma->map_flags & MAP_SHARED);
}

static int changed(const struct opening *o, const struct descriptor_vma *vma,
		   const struct file_difference *difference)
{
	return fail(
		-ESTALE,
		"%s has mapped a file with the %s %s, which here has %s; put the "
		"parent's file back, or prepare again: %s",
		o->what, difference->by, difference->parents,
		*difference->here ? difference->here : "none",
		descriptor_string(o->descriptor, vma->name));
}

static int open_once(const struct opening *o, const struct descriptor_vma *vma,
		     int32_t *file)
{
	struct file_difference difference;

	*file = mapped_file_open(o->descriptor, vma, o->digest_left, &difference);
	if (difference.by)
		return changed(o, vma, &difference);
	if (*file >= 0) {
		*file = child_files_lift(*file);
		o->files->opened[o->files->count++] = *file;
	}
	return 0;
}

/* The parent has written to some of its private mapping; the rest is the file's. */
static int compare(const struct opening *o, const struct descriptor_vma *vma)
{
	struct file_difference difference = { 0 };

	mapped_file_compare(o->descriptor, vma, o->digest_left, &difference);
	return difference.by ? changed(o, vma, &difference) : 0;
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

static int take_file(const struct opening *o, uint32_t i)
{
	const struct descriptor_vma *vmas = descriptor_vmas(o->descriptor);
	const struct descriptor_vma *vma = &vmas[i];
	int32_t *file = &o->files->of_vma[i];
	int err;

	*file = -1;
	if (vma->kind == VMA_SNAPSHOT && !o->by_module &&
	    !(vma->map_flags & MAP_SHARED) && mapped_file_is_known(vma) &&
	    !is_compared(vmas, i))
		return compare(o, vma);
	if (vma->kind != VMA_FILE || !is_needed(o, vma))
		return 0;
	*file = same_file(o, i);
	err = *file < 0 ? open_once(o, vma, file) : 0;
	if (*file >= 0 && !mapped_file_may_be_mapped(*file, vma))
		*file = -1;
	return err;
}

static int open_all(const struct opening *o)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < o->descriptor->vma_count && !err; i++)
		err = take_file(o, i);
	return err;
}

/* With the rights of the file system user that it has now, as far as the parent has them. */
static int open_each(const struct opening *o)
{
	struct file_rights rights;
	int err = file_rights_limit(o->descriptor, &rights, o->what);

	if (!err)
		err = open_all(o);
	file_rights_return(&rights);
	return err;
}

int mapping_files_open(struct mapping_files *files, struct descriptor_header *d,
		       const struct mitosis_confinement *confinement, bool by_module,
		       const char *what)
{
	uint64_t digest_left = FILE_DIGEST_BYTES_MAX;
	const struct opening o = {
		files, d, &digest_left, confinement->confine, by_module, what,
	};
	size_t size = (d->vma_count + 1) * sizeof(*files->of_vma);
	struct file_user user;
	int err;

	*files = (struct mapping_files){ malloc(size), malloc(size), 0, false };
	if (!files->of_vma || !files->opened)
		return fail(-ENOMEM, "there is no memory for a child of %s", what);
	err = file_user_become(&user, confinement);
	if (err)
		fail(err,
		     "the files of %s cannot be opened with the rights of user "
		     "%u: %s",
		     what, confinement->user, strerror(-err));
	else
		err = open_each(&o);
	file_user_return(&user);
	if (err)
		return err;
	if (by_module)
		return 0;
	return shared_objects_take_files(d, confinement->confine, files->of_vma,
					 what, &files->copied);
}

void mapping_files_free(struct mapping_files *files)
{
	free(files->of_vma);
	free(files->opened);
}
