// SPDX-License-Identifier: Apache-2.0
/*
 * A mapped file has other bytes when a child comes, and its device, inode, size and times are
 * the same: it is told by its build-id, or by its digest if the parent asked for that.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file_contents.h"
#include "proto/build_id.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define FIRST_ID    74
#define MACHINE	    174
#define PAGE	    4096
#define SIZE	    (3 * PAGE)
#define PATIENCE_MS 20000
/* How a child ends that was made, and one that was not. */
#define MADE	    3
#define WRONG_BYTES 4
#define REFUSED	    5

/* Where the note's build-id begins, and another byte of the file. */
#define BUILD_ID_AT                                                                 \
	(sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + sizeof(Elf64_Nhdr) + 4)
#define BYTE_AT (2 * PAGE + 5)

struct sample {
	const char *what;
	const char *before, *after; /* in the message */
	size_t at;		    /* of the byte that changes */
	bool has_build_id, digest;
	bool by_write;	  /* by write(2), which changes the times */
	bool has_written; /* the parent has changed a page of its mapping */
};

#define OLD_BUILD "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
#define NEW_BUILD "4ea1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
/* Of SIZE times 'H', and with an 'N' at BYTE_AT. */
#define OLD_DIGEST "b16d2ea8ee21f9a208a28b506e774ee7fcfc442b08344f49fb196cd2476b0375"
#define NEW_DIGEST "145308f30dce35261643c1578e83545c03a46dc9834b94627a6334a12f9f6e19"

static const struct sample samples[] = {
	{ .what = "another build",
	  .before = OLD_BUILD,
	  .after = NEW_BUILD,
	  .at = BUILD_ID_AT,
	  .has_build_id = true },
	{ .what = "another build, written",
	  .before = OLD_BUILD,
	  .after = NEW_BUILD,
	  .at = BUILD_ID_AT,
	  .has_build_id = true,
	  .by_write = true },
	{ .what = "another byte",
	  .before = OLD_DIGEST,
	  .after = NEW_DIGEST,
	  .at = BYTE_AT,
	  .digest = true },
	{ .what = "another byte, written",
	  .before = OLD_DIGEST,
	  .after = NEW_DIGEST,
	  .at = BYTE_AT,
	  .digest = true,
	  .by_write = true },
	{ .what = "another byte beside the parent's own",
	  .before = OLD_DIGEST,
	  .after = NEW_DIGEST,
	  .at = BYTE_AT,
	  .digest = true,
	  .has_written = true },
};

static uint32_t id; /* of the snapshot */
static char file[64];
static char bytes[SIZE];
static struct machine machine;

static void make_bytes(const struct sample *s)
{
	const Elf64_Ehdr head = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB },
		.e_phoff = sizeof(head),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	const Elf64_Phdr part = {
		.p_type = PT_NOTE,
		.p_offset = sizeof(head) + sizeof(part),
		.p_filesz = sizeof(Elf64_Nhdr) + 4 + 20,
		.p_align = 4,
	};
	const Elf64_Nhdr note = { 4, 20, NT_GNU_BUILD_ID };

	memset(bytes, 'H', SIZE);
	if (!s->has_build_id)
		return;
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + head.e_phoff, &part, sizeof(part));
	memcpy(bytes + part.p_offset, &note, sizeof(note));
	memcpy(bytes + part.p_offset + sizeof(note), "GNU", 4);
	memset(bytes + BUILD_ID_AT, 0xa1, 20);
}

/* The file as others write to it: no write makes a page fault, which would change its times. */
static char *make_file(const struct sample *s)
{
	int fd = open(file, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	size_t at;
	char *shared;

	make_bytes(s);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, bytes, SIZE), SIZE);
	shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(shared != MAP_FAILED);
	for (at = 0; at < SIZE; at += PAGE)
		*(volatile char *)&shared[at] = bytes[at];
	close(fd);
	return shared;
}

static char *map_private(const struct sample *s)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	CHECK(fd >= 0 && p != MAP_FAILED);
	close(fd);
	if (s->has_written)
		p[PAGE] = bytes[PAGE] = 'P';
	CHECK(!memcmp(p, bytes, SIZE));
	return p;
}

static void change(const struct sample *s, char *shared)
{
	int fd;

	if (!s->by_write) {
		shared[s->at] = 'N';
		return;
	}
	fd = open(file, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(pwrite(fd, "N", 1, s->at), 1);
	close(fd);
}

static bool same_times(const struct stat *a, const struct stat *b)
{
	return !memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) &&
	       !memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim));
}

/* What the message says of both, which is whole. */
static bool tells(const struct sample *s, const char *message)
{
	return strstr(message, s->before) && strstr(message, s->after) &&
	       strstr(message, file);
}

static void become_child(const struct sample *s, uint32_t mode, bool remote,
			 bool attached)
{
	const struct mitosis_resume_options options = { mode, 64 };
	struct mitosis_attachment *attachment;
	struct mitosis *device = open_user();
	int err;

	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	if (remote)
		CHECK_EQ(mitosis_connect(device, MACHINE, machine.address), 0);
	if (attached) {
		err = remote ? mitosis_attach_remote(device, MACHINE, id,
						     &attachment)
			     : mitosis_attach_local(device, id, &attachment);
		if (!err)
			err = mitosis_resume_attached(attachment);
	} else {
		err = remote ? mitosis_resume_remote(device, MACHINE, id)
			     : mitosis_resume_local(device, id);
	}
	printf("%d: %s\n", err, mitosis_error());
	fflush(stdout);
	_exit(err == -ESTALE && tells(s, mitosis_error()) ? REFUSED : 100);
}

static void expect(const struct sample *s, bool remote, int status)
{
	const uint32_t modes[] = { MITOSIS_RESUME_LAZY, MITOSIS_RESUME_EAGER,
				   MITOSIS_RESUME_CACHED };
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		pid_t pid;

		fflush(stdout);
		pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			become_child(s, modes[i], remote,
				     modes[i] == MITOSIS_RESUME_EAGER);
		CHECK_EQ(status_within(pid, PATIENCE_MS), status << 8);
	}
}

static void play(const struct sample *s, bool remote)
{
	struct mitosis *device;
	struct stat before, after;
	char *shared, *private;
	pid_t self = getpid();
	char byte;

	printf("%s%s\n", s->what, remote ? ", another machine's" : "");
	shared = make_file(s);
	private = map_private(s);
	CHECK(!stat(file, &before));
	if (remote)
		machine_enter(&machine);
	if (s->digest)
		setenv("MITOSIS_FILE_DIGEST", "on", 1);
	device = open_user();
	unsetenv("MITOSIS_FILE_DIGEST");
	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, id), 0);
	if (getpid() != self)
		_exit(memcmp(private, bytes, SIZE) ? WRONG_BYTES : MADE);
	/* The shadow has described itself, and the file, when it answers. */
	CHECK_EQ(mitosis_read(device, id, (uintptr_t)&self, &byte, 1), 0);
	if (remote)
		machine_leave();
	expect(s, remote, MADE);
	change(s, shared);
	CHECK(!stat(file, &after));
	CHECK(after.st_size == before.st_size && after.st_ino == before.st_ino);
	if (!s->by_write && !same_times(&before, &after))
		puts("left out: the kernel has written the file back meanwhile");
	else
		expect(s, remote, REFUSED);
	/* As it was, but for the times where it was written. */
	shared[s->at] = bytes[s->at];
	expect(s, remote, MADE);
	mitosis_close(device);
	munmap(shared, SIZE);
	munmap(private, SIZE);
	CHECK(!unlink(file));
}

/* Whatever a file has: no byte behind it is read, and the text is one. */
static void strange_files(void)
{
	const struct sample elf = { .has_build_id = true };
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	const size_t size = BUILD_ID_AT + 20;
	char text[BUILD_ID_TEXT];
	size_t at, i, length;

	make_bytes(&elf);
	build_id_find(bytes, size, text);
	CHECK(!strcmp(text, OLD_BUILD));
	for (length = 0; length < size; length++) {
		char *cut = memcpy(malloc(length + 1), bytes, length);

		build_id_find(cut, length, text);
		CHECK(!*text);
		free(cut);
	}
	for (at = 0; at < size; at++)
		for (i = 0; i < sizeof(values); i++) {
			char *changed = memcpy(malloc(size), bytes, size);

			changed[at] = values[i];
			build_id_find(changed, size, text);
			CHECK(strlen(text) < sizeof(text));
			CHECK(strspn(text, "0123456789abcdef") == strlen(text));
			free(changed);
		}
}

/* Of many bytes, or of more than are left, none is read. */
static void limited_digests(void)
{
	int fd = memfd_create("digest", MFD_CLOEXEC);
	char text[FILE_CONTENTS_TEXT];
	uint64_t left = 3 * SIZE - 1;

	make_bytes(&(struct sample){ 0 });
	CHECK_EQ(write(fd, bytes, SIZE), SIZE);
	CHECK(file_digest(fd, &left, text) && !strcmp(text, OLD_DIGEST));
	CHECK_EQ(left, 2 * SIZE - 1);
	CHECK(file_digest(fd, &left, text) && !file_digest(fd, &left, text));
	CHECK_EQ(left, SIZE - 1);
	left = FILE_DIGEST_BYTES_MAX;
	CHECK(!ftruncate(fd, FILE_DIGEST_BYTES_MAX + 1));
	CHECK(!file_digest(fd, &left, text));
	CHECK_EQ(left, FILE_DIGEST_BYTES_MAX);
	close(fd);
}

static void malformed_setting(void)
{
	struct mitosis *device;

	setenv("MITOSIS_FILE_DIGEST", "yes", 1);
	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), -EINVAL);
	CHECK(strstr(mitosis_error(), "must be on or off, got 'yes'"));
	unsetenv("MITOSIS_FILE_DIGEST");
}

int main(void)
{
	char base[] = "/tmp/mitosis-identity-XXXXXX";
	size_t i;

	need_userfaultfd();
	unsetenv("MITOSIS_FILE_DIGEST");
	CHECK(mkdtemp(base));
	snprintf(file, sizeof(file), "%s/file", base);
	use_key("identity");
	machine = machine_start(MACHINE);
	id = FIRST_ID;
	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		play(&samples[i], false);
		id++;
		play(&samples[i], true);
		id++;
	}
	malformed_setting();
	strange_files();
	limited_digests();
	machine_stop(&machine);
	CHECK(!rmdir(base));
	return 0;
}
